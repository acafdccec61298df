namespace OciOstree.Repository;

/// <summary>
/// Finds for a new file an old one that it was probably made from: of the same path, else of the same name, else of the same name up to
/// its first dot, and not much larger or smaller.
/// </summary>
internal sealed class SimilarFiles
{
    // By so many hundredths may the sizes differ.
    private const int Tolerance = 30;

    private readonly Dictionary<string, (Checksum Checksum, long Size)> byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(Checksum Checksum, long Size)>> byName = new(StringComparer.Ordinal), byStem = new(StringComparer.Ordinal);

    public SimilarFiles(Repo repo, Checksum fromTree)
    {
        Dictionary<Checksum, (bool Regular, long Size)> seen = [];
        foreach ((string path, Checksum checksum) in TreeFiles.Walk(repo, fromTree))
        {
            if (!seen.TryGetValue(checksum, out (bool Regular, long Size) known))
            {
                FileHeader header = repo.ReadFileHeader(checksum, out long size);
                // Whoever applies the delta may not be root.
                bool readable = !header.IsSymlink && (header.Mode & 4) != 0;
                seen.Add(checksum, known = (readable && size > 0, size));
            }
            if (!known.Regular || !IsCandidate(path))
                continue;
            byPath[path] = (checksum, known.Size);
            Add(byName, NameOf(path), checksum, known.Size);
            Add(byStem, StemOf(path), checksum, known.Size);
        }
    }

    /// <summary>The old file that the one at a path was probably made from, null if there is none.</summary>
    public Checksum? Find(string path, long size)
    {
        if (size == 0 || !IsCandidate(path))
            return null;
        if (byPath.TryGetValue(path, out (Checksum Checksum, long Size) same) && IsNear(same.Size, size))
            return same.Checksum;
        return Nearest(byName.GetValueOrDefault(NameOf(path)), size) ?? Nearest(byStem.GetValueOrDefault(StemOf(path)), size);
    }

    // What is compressed already differs everywhere. Not so gzip, which can be made to start anew now and then.
    private static bool IsCandidate(string path) => !path.EndsWith(".xz", StringComparison.Ordinal) && !path.EndsWith(".bz2", StringComparison.Ordinal) && !path.EndsWith(".zst", StringComparison.Ordinal);

    private static bool IsNear(long a, long b) => Math.Abs((decimal)a - b) * 100 <= (decimal)b * Tolerance;

    private static Checksum? Nearest(List<(Checksum Checksum, long Size)>? candidates, long size) =>
        candidates?.Where(candidate => IsNear(candidate.Size, size)).OrderBy(candidate => Math.Abs(candidate.Size - size)).Select(candidate => (Checksum?)candidate.Checksum).FirstOrDefault();

    private static void Add(Dictionary<string, List<(Checksum, long)>> map, string key, Checksum checksum, long size)
    {
        if (key.Length == 0)
            return;
        if (!map.TryGetValue(key, out List<(Checksum, long)>? list))
            map.Add(key, list = []);
        // A name that thousands of files have says nothing.
        if (list.Count < 256)
            list.Add((checksum, size));
    }

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string StemOf(string path)
    {
        string name = NameOf(path);
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? "" : name[..dot];
    }
}
