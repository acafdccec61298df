using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>A commit's word on which refs, of which collection, it was made for: a server cannot serve it as another.</summary>
public static class Bindings
{
    public const string RefKey = "ostree.ref-binding", CollectionKey = "ostree.collection-binding";

    /// <summary>The refs that a commit is bound to, null if it does not say.</summary>
    public static string[]? Refs(Commit commit) => commit.Metadata.Lookup(RefKey) is { Type: "as" } refs ? refs.AsStrings() : null;

    /// <summary>The collection that a commit is bound to, null if it does not say.</summary>
    public static string? Collection(Commit commit) => commit.Metadata.Lookup(CollectionKey) is { Type: "s" } id ? id.AsString() : null;

    /// <summary>Checks that a commit may stand where a ref says.</summary>
    /// <param name="collection">The collection it must belong to, null if any will do.</param>
    /// <param name="name">The ref, null if it was not asked for by one.</param>
    /// <exception cref="RepositoryException">It is bound to something else, or lacks the binding that a collection demands.</exception>
    public static void Verify(Checksum checksum, Commit commit, string? collection, string? name)
    {
        string[]? refs = Refs(commit);
        if (refs is null)
        {
            if (collection is not null)
                throw new RepositoryException($"Commit {checksum}: Expected commit metadata to have ref binding information, found none");
        }
        else if (name is not null && !refs.Contains(name))
        {
            throw new RepositoryException($"Commit {checksum}: Commit has no requested ref ‘{name}’ in ref binding metadata ({(refs.Length == 0 ? "no refs" : string.Join(", ", refs.Select(r => $"‘{r}’")))})");
        }
        if (collection is null)
            return;
        string? bound = Collection(commit);
        if (bound is null)
            throw new RepositoryException($"Commit {checksum}: Expected commit metadata to have collection ID binding information, found none");
        if (bound != collection)
            throw new RepositoryException($"Commit {checksum}: Commit has collection ID ‘{bound}’ in collection binding metadata, while the remote it came from has collection ID ‘{collection}’");
    }

    /// <summary>Checks that the refs a commit names lead back to it.</summary>
    /// <exception cref="RepositoryException">One is missing or leads elsewhere.</exception>
    public static void VerifyBack(Repo repo, Checksum checksum, Commit commit)
    {
        string? collection = Collection(commit);
        foreach (string name in Refs(commit) ?? [])
        {
            Checksum? target = collection is null ? repo.ResolveRef(name)
                : repo.ListCollectionRefs(collection).TryGetValue(new CollectionRef(collection, name), out Checksum found) ? found : null;
            string shown = collection is null ? $"Ref ‘{name}’" : $"Collection–ref ({collection}, {name})";
            if (target is null)
                throw new RepositoryException($"{shown} in bindings for commit {checksum} does not exist");
            if (target != checksum)
                throw new RepositoryException($"{shown} in bindings for commit {checksum} does not resolve to that commit");
        }
    }
}
