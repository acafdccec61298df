using OciOstree.Formats.GVariant;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The static deltas that a repository offers, and the indexes by which a client finds those to a commit.</summary>
public static class StaticDeltaStore
{
    /// <summary>The key of the map from a delta's name to its superblock's SHA-256, in the summary and in an index.</summary>
    public const string MapKey = "ostree.static-deltas";

    private const long MaxIndexSize = 64 << 20;

    /// <summary>Lists the deltas that are complete: those with a superblock.</summary>
    public static IReadOnlyList<DeltaName> List(Repo repo) => [.. Directories(repo).Where(name => repo.Root.Exists(name.Superblock))];

    public static bool Exists(Repo repo, DeltaName name) => repo.Root.Exists(name.Superblock);

    /// <exception cref="RepositoryException">There is none of that name.</exception>
    public static void Delete(Repo repo, DeltaName name)
    {
        if (!repo.Root.Exists(name.Directory))
            throw new RepositoryException($"Can't find delta {name}");
        repo.Root.RemoveTree(name.Directory);
    }

    /// <summary>Deletes the deltas to a commit, or with null all those to commits that are not here.</summary>
    public static void PruneOrphans(Repo repo, Checksum? commit)
    {
        using RepoLock.Holder hold = repo.Locking.Take(RepoLockKind.Exclusive);
        foreach (DeltaName name in Directories(repo))
            if (commit is { } only ? name.To == only : !repo.HasObject(new ObjectName(name.To, ObjectType.Commit)))
                repo.Root.RemoveTree(name.Directory);
    }

    /// <summary>The SHA-256 of each delta's superblock, by the delta's name: an <c>a{sv}</c>, null if there are no deltas.</summary>
    public static Variant? Map(Repo repo, Checksum? to = null)
    {
        VariantDictionary digests = new();
        bool any = false;
        foreach (DeltaName name in List(repo).Where(name => to is null || name.To == to).Order())
        {
            digests[name.ToString()] = Variant.Bytes(Digest(repo, name).ToArray());
            any = true;
        }
        return any ? digests.ToVariant() : null;
    }

    /// <summary>The commits that there is an index for.</summary>
    public static IReadOnlyList<Checksum> ListIndexes(Repo repo)
    {
        List<Checksum> found = [];
        foreach ((string prefix, DirectoryEntry entry) in Entries(repo, "delta-indexes"))
            if (entry.Type == FileType.RegularFile && DeltaName.TryDecodeIndex(prefix, entry.Name, out Checksum to))
                found.Add(to);
        return found;
    }

    /// <summary>Writes the indexes anew, or only that of one commit, and removes those of commits that no delta leads to any more.</summary>
    public static void Reindex(Repo repo, Checksum? only = null)
    {
        using RepoLock.Holder hold = repo.Locking.Take(RepoLockKind.Shared);
        try
        {
            if (repo.Config.GetBoolean("core", "indexed-deltas") != true)
            {
                // How a client that sees no summary learns that there are indexes.
                KeyFile config = repo.Config.Clone();
                config.SetBoolean("core", "indexed-deltas", true);
                repo.WriteConfig(config);
            }
            IEnumerable<Checksum> targets = only is { } one ? [one] : ListIndexes(repo).Concat(List(repo).Select(name => name.To)).Distinct();
            foreach (Checksum to in targets)
                WriteIndex(repo, to);
        }
        catch (Exception e) when (e is LinuxException or FormatException)
        {
            throw new RepositoryException("Indexing static deltas", e);
        }
    }

    private static void WriteIndex(Repo repo, Checksum to)
    {
        string path = DeltaName.IndexOf(to);
        if (Map(repo, to) is not { } map)
        {
            repo.Root.TryUnlink(path);
            return;
        }
        ReadOnlyMemory<byte> index = Variant.Dictionary([KeyValuePair.Create(MapKey, map)]).Data;
        // Most are as they were, and what is not written need not be flushed.
        if (repo.Root.TryReadAllBytes(path, MaxIndexSize) is { } before && index.Span.SequenceEqual(before))
            return;
        repo.Root.MakePath(path[..path.LastIndexOf('/')], 0x1FD);
        repo.Root.ReplaceFile(path, index.Span, 0x1A4, repo.Settings.Fsync);
    }

    private static Checksum Digest(Repo repo, DeltaName name)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = repo.Root.OpenFile(name.Superblock);
        return FileDigest.Of(file);
    }

    private static IEnumerable<DeltaName> Directories(Repo repo)
    {
        foreach ((string prefix, DirectoryEntry entry) in Entries(repo, "deltas"))
            if (entry.Type == FileType.Directory && DeltaName.TryDecode(prefix, entry.Name, out DeltaName name))
                yield return name;
    }

    private static List<(string Prefix, DirectoryEntry Entry)> Entries(Repo repo, string directory)
    {
        List<(string, DirectoryEntry)> entries = [];
        using LinuxDirectory? top = repo.Root.TryOpenDirectory(directory, followLinks: true);
        foreach (DirectoryEntry prefix in top?.ReadEntries() ?? [])
        {
            if (prefix.Type != FileType.Directory || prefix.Name.Length != 2)
                continue;
            using LinuxDirectory below = top!.OpenDirectory(prefix.Name);
            entries.AddRange(below.ReadEntries().Select(entry => (prefix.Name, entry)));
        }
        return entries;
    }
}
