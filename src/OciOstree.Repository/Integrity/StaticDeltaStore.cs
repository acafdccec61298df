using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Where static deltas lie: <c>deltas/AB/CDEF…[-TO]</c>, the checksums in base64 with <c>_</c> for <c>/</c> and without padding,
/// split after two characters.
/// </summary>
public static class StaticDeltaStore
{
    private const int EncodedLength = 43;

    /// <summary>Lists the deltas of a repository; one without <c>From</c> starts from nothing.</summary>
    public static IReadOnlyList<(Checksum? From, Checksum To)> List(Repo repo) => [.. Directories(repo).Select(found => (found.From, found.To))];

    /// <summary>Where a delta lies below the repository.</summary>
    public static string PathOf(Checksum? from, Checksum to)
    {
        string name = from is { } source ? $"{Encode(source)}-{Encode(to)}" : Encode(to);
        return $"deltas/{name[..2]}/{name[2..]}";
    }

    /// <summary>Deletes the deltas to a commit, or with null all those to commits that are not here.</summary>
    public static void PruneOrphans(Repo repo, Checksum? commit)
    {
        using RepoLock.Holder hold = repo.Locking.Take(RepoLockKind.Exclusive);
        foreach ((Checksum? _, Checksum to, string path) in Directories(repo))
            if (commit is { } only ? to == only : !repo.HasObject(new ObjectName(to, ObjectType.Commit)))
                repo.Root.RemoveTree(path);
    }

    private static List<(Checksum? From, Checksum To, string Path)> Directories(Repo repo)
    {
        List<(Checksum?, Checksum, string)> found = [];
        using LinuxDirectory? deltas = repo.Root.TryOpenDirectory("deltas", followLinks: true);
        foreach (DirectoryEntry prefix in deltas?.ReadEntries() ?? [])
        {
            if (prefix.Type != FileType.Directory || prefix.Name.Length != 2)
                continue;
            using LinuxDirectory below = deltas!.OpenDirectory(prefix.Name);
            foreach (DirectoryEntry entry in below.ReadEntries())
            {
                string[] parts = (prefix.Name + entry.Name).Split('-');
                if (entry.Type == FileType.Directory && parts.Length <= 2 && TryDecode(parts[^1], out Checksum to))
                {
                    Checksum from = default;
                    if (parts.Length == 1 || TryDecode(parts[0], out from))
                        found.Add((parts.Length == 1 ? null : from, to, $"deltas/{prefix.Name}/{entry.Name}"));
                }
            }
        }
        return found;
    }

    private static string Encode(Checksum checksum) => Convert.ToBase64String(checksum.ToArray()).TrimEnd('=').Replace('/', '_');

    private static bool TryDecode(string text, out Checksum checksum)
    {
        Span<byte> bytes = stackalloc byte[Checksum.Size];
        checksum = default;
        if (text.Length != EncodedLength || !Convert.TryFromBase64String(text.Replace('_', '/') + "=", bytes, out int length) || length != Checksum.Size)
            return false;
        checksum = Checksum.FromBytes(bytes);
        return true;
    }
}
