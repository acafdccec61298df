using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>The summary of a remote, verified as the remote wants it: which refs there are, of which collections, and what they point at.</summary>
public sealed class RemoteSummary
{
    private Dictionary<(string? Collection, string Name), Checksum>? targets;

    private RemoteSummary(byte[] bytes, byte[]? signature, Variant content) => (Bytes, Signature, Content) = (bytes, signature is null ? null : (ReadOnlyMemory<byte>?)signature, content);

    /// <summary>The file as it was served.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The file <c>summary.sig</c>, null if there is none.</summary>
    public ReadOnlyMemory<byte>? Signature { get; }

    /// <summary>As <see cref="RepoSummary.VariantType"/> says.</summary>
    public Variant Content { get; }

    internal RemoteFileStamp Stamp { get; private init; }

    internal RemoteFileStamp SignatureStamp { get; private init; }

    /// <summary>The collection that the repository's own refs belong to, null if it has none.</summary>
    public string? CollectionId { get; private init; }

    /// <summary>The mode of the repository in the words of its configuration, null if the summary does not say.</summary>
    public string? Mode => Content[1].Lookup("ostree.summary.mode", "s")?.AsString();

    /// <summary>Fetches the summary of a configured remote; null if there is none.</summary>
    /// <exception cref="RepositoryException">It cannot be fetched, is malformed, or its signature is wanted and not good.</exception>
    public static RemoteSummary? Fetch(Repo repo, Remote remote, RemotePullOptions options, CancellationToken cancellation = default)
    {
        // Also of a remote that others fetch from this is what to say first.
        if (options.Url is null && remote.Get("url") is null && remote.Get("metalink") is null)
            throw new RepositoryException($"No \"url\" option in remote \"{remote.Name}\"");
        using RemoteAccess access = RemotePull.Access(repo, remote, options, cancellation);
        return Fetch(repo, remote, access, options.CacheDirectory);
    }

    internal static RemoteSummary? Fetch(Repo repo, Remote remote, RemoteAccess access, string? cacheDirectory)
    {
        SummaryCache cache = new(repo, remote, cacheDirectory);
        // The signature is small and changes with the summary: often it is all that has to be asked for.
        RemoteFile? signature = access.TryFetch("summary.sig", Repo.MaxMetadataSize, cache.SignatureStamp);
        if (signature is { Unchanged: true })
            signature = cache.SummarySignature is { } kept ? signature.Value with { Bytes = kept } : access.TryFetch("summary.sig", Repo.MaxMetadataSize);
        byte[]? cached = signature is { } given && cache.SummarySignature is { } before && before.AsSpan().SequenceEqual(given.Bytes) ? cache.Summary : null;
        RemoteFile? summary = cached is not null ? new RemoteFile(cached, cache.SummaryStamp ?? default, true)
            : access.TryFetch("summary", Repo.MaxMetadataSize, cache.SummaryStamp);
        if (summary is { Unchanged: true } && cached is null)
            summary = cache.Summary is { } kept ? summary.Value with { Bytes = kept } : access.TryFetch("summary", Repo.MaxMetadataSize);
        bool isCached = summary is { Unchanged: true };
        try
        {
            RemotePull.VerifySummary(repo, remote, summary?.Bytes, signature?.Bytes);
        }
        catch (RepositoryException) when (isCached)
        {
            if (Environment.GetEnvironmentVariable("OSTREE_REPO_TEST_ERROR") == "invalid-cache")
                throw new RepositoryException($"Remote {remote.Name} cached summary invalid and OSTREE_REPO_TEST_ERROR_INVALID_CACHE specified");
            isCached = false;
            summary = access.TryFetch("summary", Repo.MaxMetadataSize);
            RemotePull.VerifySummary(repo, remote, summary?.Bytes, signature?.Bytes);
        }
        if (summary is not { } found)
            return null;
        RemoteSummary parsed = Parse(found, signature, access.Describe("summary"));
        if (!isCached && signature is { } signed)
            cache.Store(found.Bytes, found.Stamp, signed.Bytes, signed.Stamp);
        return parsed;
    }

    private static RemoteSummary Parse(RemoteFile summary, RemoteFile? signature, string address)
    {
        Variant content = Variant.FromBytes(RepoSummary.VariantType, summary.Bytes);
        if (!content.IsNormalForm())
            throw new RepositoryException($"Invalid summary at {address}");
        string? collection = content[1].Lookup("ostree.summary.collection-id", "s")?.AsString();
        if (collection is not null)
            RefName.ValidateCollectionId(collection);
        return new RemoteSummary(summary.Bytes, signature?.Bytes, content) { CollectionId = collection, Stamp = summary.Stamp, SignatureStamp = signature?.Stamp ?? default };
    }

    /// <summary>All refs: those of the repository's own collection first.</summary>
    /// <returns>The collection (null if the repository has none), the name, and <c>(taya{sv})</c>: the commit's size, its checksum and keys.</returns>
    /// <exception cref="RepositoryException">A name is none that a ref can have.</exception>
    public IEnumerable<(string? Collection, string Name, Variant About)> Refs()
    {
        foreach (Variant entry in Content[0].Children)
            yield return Checked(CollectionId, entry);
        if (Content[1].Lookup("ostree.summary.collection-map", "a{sa(s(taya{sv}))}") is not { } map)
            yield break;
        foreach (Variant collection in map.Children)
        {
            string id = collection[0].AsString();
            RefName.ValidateCollectionId(id);
            foreach (Variant entry in collection[1].Children)
                yield return Checked(id, entry);
        }

        static (string?, string, Variant) Checked(string? collection, Variant entry)
        {
            string name = entry[0].AsString();
            RefName.Validate(name);
            return (collection, name, entry[1]);
        }
    }

    /// <summary>What a ref points at, of the repository's own if no collection is named.</summary>
    /// <exception cref="RepositoryException">There is no such ref.</exception>
    public Checksum Resolve(string? collection, string name)
    {
        if (targets is null)
        {
            targets = [];
            foreach ((string? of, string known, Variant about) in Refs())
                targets.TryAdd((of, known), CommitOf(about));
        }
        if (targets.TryGetValue((collection ?? CollectionId, name), out Checksum found))
            return found;
        throw new RepositoryException(collection is null ? $"No such branch '{name}' in repository summary" : $"No such branch ({collection}, {name}) in repository summary");
    }

    internal static Checksum CommitOf(Variant about)
    {
        ReadOnlyMemory<byte> bytes = about[1].AsBytes();
        return bytes.Length == Checksum.Size ? Checksum.FromBytes(bytes.Span) : throw new RepositoryException($"Invalid checksum of length {bytes.Length} in summary, expected {Checksum.Size}");
    }
}
