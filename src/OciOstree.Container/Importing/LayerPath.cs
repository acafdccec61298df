using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>
/// Where an entry of a derived layer belongs in the commit: <c>etc</c> in <c>usr/etc</c>, nothing beneath the directories that a booted
/// system makes itself, and no top levels but <c>usr</c>, <c>etc</c> and <c>var</c> unless they are asked for.
/// </summary>
internal sealed class LayerPath
{
    internal const string WhiteoutPrefix = ".wh.";
    internal const string OpaqueWhiteout = ".wh..wh..opq";

    /// <summary>The objects of an ostree layer, which a build may have rewritten through a hard link.</summary>
    internal const string RepositoryPrefix = "sysroot/ostree/repo/";

    private static readonly string[] ApiFileSystems = ["run", "tmp", "proc", "sys", "dev"];

    private readonly bool factoryVar;
    private readonly bool keepTopLevels;

    internal LayerPath(bool factoryVar, bool keepTopLevels) => (this.factoryVar, this.keepTopLevels) = (factoryVar, keepTopLevels);

    /// <summary>
    /// The components of a name in a tar: leading and doubled slashes and <c>.</c> are of no account, so that the root has none.
    /// </summary>
    /// <exception cref="ContainerException">The name leads upwards, or no file can have it.</exception>
    internal static string[] Split(ReadOnlySpan<byte> name)
    {
        if (name.Contains((byte)0))
        {
            throw new ContainerException($"'{Show(name)}' holds a NUL");
        }

        // PATH_MAX; it also bounds how deep a tree can be.
        if (name.Length >= 4096)
        {
            throw new ContainerException($"'{Show(name)}…' is longer than 4095 bytes");
        }

        var text = FileName.FromBytes(name);
        if (!FileName.IsUtf8(text))
        {
            throw new ContainerException($"'{Show(name)}' is not valid UTF-8, which names in an ostree commit must be");
        }

        var parts = text.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var kept = 0;
        foreach (var part in parts)
        {
            switch (part)
            {
                case ".":
                    break;
                case "..":
                    throw new ContainerException($"'{text}' leads out of the image by '..'");
                default:
                    // A file name's limit on every file system that a commit could be checked out to.
                    if (part.Length > 255 || (part.Length > 85 && FileName.ByteCount(part) > 255))
                    {
                        throw new ContainerException($"'{text[..Math.Min(text.Length, 120)]}…' has a name of more than 255 bytes");
                    }

                    parts[kept++] = part;
                    break;
            }
        }

        return kept == parts.Length ? parts : parts[..kept];
    }

    /// <summary>The path to store an entry at; null if it is left out, and then <paramref name="dropped"/> is what to count it under.</summary>
    internal string[]? Map(string[] path, out string dropped)
    {
        dropped = "";
        if (path.Length == 0)
        {
            return path;
        }

        switch (path[0])
        {
            case "usr" or ".wh.usr" or OpaqueWhiteout:
                return path;
            case "etc":
                return ["usr", .. path];
            case ".wh.etc":
                return ["usr", ".wh.etc"];
            case "var":
                return factoryVar ? ["usr", "share", "factory", .. path] : path;
            case ".wh.var":
                return factoryVar ? ["usr", "share", "factory", ".wh.var"] : path;
            case var top when Array.IndexOf(ApiFileSystems, top) >= 0:
                dropped = path.Length > 1 ? path[1] : "";
                return path.Length > 1 ? null : path;
            default:
                dropped = path[0];
                return keepTopLevels ? path : null;
        }
    }

    internal static string Show(ReadOnlySpan<byte> name) =>
        new([.. System.Text.Encoding.UTF8.GetString(name.Length > 120 ? name[..120] : name).Select(c => char.IsControl(c) ? '?' : c)]);
}
