using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>What an ostree commit has no place for and an import left out. Layers' commits remember it, so that it is told of an image whenever that is imported.</summary>
public sealed class DroppedContent
{
    // A layer may have a million files in /run: their number says enough.
    private const int NamedPaths = 10;
    private const int NamedSpecialFiles = 5;
    private const int CountedNames = 50;
    private const string Type = "(a(su)uasuas)";

    private readonly SortedDictionary<string, int> paths = new(StringComparer.Ordinal);
    private readonly List<string> examples = [];
    private readonly List<string> specialFiles = [];

    /// <summary>Nothing was left out.</summary>
    public static DroppedContent None { get; } = new();

    /// <summary>
    /// How many entries were left out, by the first name that does not belong: <c>opt</c>, or what lay directly in <c>run</c> or <c>tmp</c>.
    /// Of many names only the first few are there.
    /// </summary>
    public IReadOnlyDictionary<string, int> Paths => paths;

    /// <summary>Entries left out under further names.</summary>
    public int OtherPathCount { get; private set; }

    /// <summary>The first few paths that were left out.</summary>
    public IReadOnlyList<string> Examples => examples;

    /// <summary>Device nodes, fifos and sockets that were left out.</summary>
    public int SpecialFileCount { get; private set; }

    /// <summary>The first few of them.</summary>
    public IReadOnlyList<string> SpecialFiles => specialFiles;

    public bool IsEmpty => paths.Count == 0 && SpecialFileCount == 0;

    /// <summary>Lines for people. The first is the peer's.</summary>
    public IEnumerable<string> Warnings()
    {
        if (paths.Count > 0)
        {
            yield return "Image contains non-ostree compatible file paths:"
                + string.Concat(paths.Select(path => $" {FileName.ForDisplay(path.Key)}: {path.Value}")) + (OtherPathCount > 0 ? $" …: {OtherPathCount}" : "");
            var count = paths.Values.Sum() + OtherPathCount;
            yield return $"Left out: {Named(examples, count)} (--toplevel chooses what is kept)";
        }

        if (SpecialFileCount > 0)
        {
            yield return $"Image contains device nodes or fifos, which were left out: {SpecialFileCount} ({Named(specialFiles, SpecialFileCount)})";
        }
    }

    internal void AddPath(string countAs, string path)
    {
        Count(countAs, 1);
        if (examples.Count < NamedPaths)
        {
            examples.Add(path);
        }
    }

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
            Count(name, count);
        }

        OtherPathCount += other.OtherPathCount;
        examples.AddRange(other.examples.Take(NamedPaths - examples.Count));
        SpecialFileCount += other.SpecialFileCount;
        specialFiles.AddRange(other.specialFiles.Take(NamedSpecialFiles - specialFiles.Count));
    }

    internal Variant ToVariant() => Variant.Tuple(
        Variant.Array("(su)", paths.Select(path => Variant.Tuple(Variant.String(path.Key), Variant.UInt32((uint)path.Value)))),
        Variant.UInt32((uint)OtherPathCount),
        Variant.Strings(examples),
        Variant.UInt32((uint)SpecialFileCount),
        Variant.Strings(specialFiles));

    internal static DroppedContent FromVariant(Variant? stored)
    {
        if (stored is null || stored.Type != Type)
        {
            return None;
        }

        var dropped = new DroppedContent { OtherPathCount = (int)stored[1].AsUInt32(), SpecialFileCount = (int)stored[3].AsUInt32() };
        foreach (var pair in stored[0].Children)
        {
            dropped.Count(pair[0].AsString(), (int)pair[1].AsUInt32());
        }

        dropped.examples.AddRange(stored[2].AsStrings().Take(NamedPaths));
        dropped.specialFiles.AddRange(stored[4].AsStrings().Take(NamedSpecialFiles));
        return dropped;
    }

    private void Count(string name, int count)
    {
        if (paths.Count < CountedNames || paths.ContainsKey(name))
        {
            paths[name] = paths.GetValueOrDefault(name) + count;
        }
        else
        {
            OtherPathCount += count;
        }
    }

    private static string Named(List<string> names, int count) =>
        string.Join(", ", names.Select(name => FileName.ForDisplay(name))) + (count > names.Count ? $", … and {count - names.Count} more" : "");
}
