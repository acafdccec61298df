namespace OciOstree.Cli.Ostree;

/// <summary>The file of <c>--skip-list</c>: a path a line.</summary>
internal static class SkipListFile
{
    public static IReadOnlyList<string> Read(string path) => NamedFile.ReadText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
