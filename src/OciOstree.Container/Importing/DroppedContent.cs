namespace OciOstree.Container;

/// <summary>What an ostree commit has no place for and an import left out.</summary>
public sealed class DroppedContent
{
    private const int NamedSpecialFiles = 5;

    private readonly SortedDictionary<string, int> paths = new(StringComparer.Ordinal);
    private readonly List<string> specialFiles = [];

    /// <summary>Nothing was left out.</summary>
    public static DroppedContent None { get; } = new();

    /// <summary>
    /// How many entries were left out, by the first name that does not belong: <c>opt</c>, or what lay directly in <c>run</c> or <c>tmp</c>.
    /// </summary>
    public IReadOnlyDictionary<string, int> Paths => paths;

    /// <summary>Device nodes, fifos and sockets that were left out.</summary>
    public int SpecialFileCount { get; private set; }

    /// <summary>The first few of them.</summary>
    public IReadOnlyList<string> SpecialFiles => specialFiles;

    public bool IsEmpty => paths.Count == 0 && SpecialFileCount == 0;

    /// <summary>One line for each kind, for people.</summary>
    public IEnumerable<string> Warnings()
    {
        if (paths.Count > 0)
        {
            yield return "Image contains non-ostree compatible file paths:" + string.Concat(paths.Select(path => $" {path.Key}: {path.Value}"));
        }

        if (SpecialFileCount > 0)
        {
            var more = SpecialFileCount > specialFiles.Count ? ", …" : "";
            yield return $"Image contains device nodes or fifos, which were left out: {SpecialFileCount} ({string.Join(", ", specialFiles)}{more})";
        }
    }

    internal void AddPath(string name) => paths[name] = paths.GetValueOrDefault(name) + 1;

    internal void AddSpecialFile(string path)
    {
        SpecialFileCount++;
        if (specialFiles.Count < NamedSpecialFiles)
        {
            specialFiles.Add(path);
        }
    }

    internal void Add(DroppedContent other)
    {
        foreach (var (name, count) in other.paths)
        {
            paths[name] = paths.GetValueOrDefault(name) + count;
        }

        SpecialFileCount += other.SpecialFileCount;
        specialFiles.AddRange(other.specialFiles.Take(NamedSpecialFiles - specialFiles.Count));
    }
}
