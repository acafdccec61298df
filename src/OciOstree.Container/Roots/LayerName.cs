using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>Names in layers that are only looked at: unlike an import's, they may be bytes that no commit could have.</summary>
internal static class LayerName
{
    private const int MaxParts = 1000;

    /// <summary>The components of a name; <c>..</c> goes up as far as the root.</summary>
    /// <exception cref="ContainerException">It is longer than any path.</exception>
    internal static string[] Split(ReadOnlySpan<byte> name)
    {
        if (name.Length >= 4096)
        {
            throw new ContainerException($"'{LayerPath.Show(name)}…' is longer than 4095 bytes");
        }

        List<string> parts = [];
        foreach (var part in FileName.FromBytes(name).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (part)
            {
                case ".":
                    break;
                case "..":
                    parts.RemoveRange(Math.Max(parts.Count - 1, 0), Math.Min(parts.Count, 1));
                    break;
                default:
                    parts.Add(part);
                    break;
            }
        }

        return parts.Count <= MaxParts ? [.. parts] : throw new ContainerException($"'{LayerPath.Show(name)}…' is deeper than {MaxParts} levels");
    }
}
