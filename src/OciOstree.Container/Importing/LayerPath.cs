using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>
/// Where an entry of a derived layer belongs in the commit: <c>etc</c> in <c>usr/etc</c>, <c>usr</c> where it is, and what is in other top-level directories
/// where their rules say.
/// </summary>
internal sealed class LayerPath
{
    internal const string WhiteoutPrefix = ".wh.";
    internal const string OpaqueWhiteout = ".wh..wh..opq";

    /// <summary>The objects of an ostree layer, which a build may have rewritten through a hard link.</summary>
    internal const string RepositoryPrefix = "sysroot/ostree/repo/";

    // AUFS' own books, which some builders hand on. They are no content.
    private const string AufsPrefix = ".wh..wh.";

    // Among them: files with several names, which are hard links to these.
    private const string AufsLinks = AufsPrefix + "plnk";

    private readonly TopLevelRules rules;
    private readonly bool keepOthers;

    /// <param name="keepOthers">Whether directories that no rule names stay.</param>
    internal LayerPath(TopLevelRules rules, bool keepOthers) => (this.rules, this.keepOthers) = (rules, keepOthers);

    internal TopLevelRule RuleOf(string topLevel) => rules.Of(topLevel, keepOthers);

    /// <summary>The top-level directory whose rule a path goes by, be it hidden by a whiteout; null for <c>usr</c>, <c>etc</c> and the root.</summary>
    internal static string? TopLevelOf(string[] path)
    {
        if (path.Length == 0 || path[0] == OpaqueWhiteout)
        {
            return null;
        }

        var name = IsWhiteout(path[0]) ? path[0][WhiteoutPrefix.Length..] : path[0];
        return name is "usr" or "etc" ? null : name;
    }

    /// <summary>Whether a path is in AUFS' book of files that have several names.</summary>
    internal static bool IsLinkOfAufs(string[] path) => path is [AufsLinks, _];

    /// <summary>Whether an entry is about AUFS' books.</summary>
    internal static bool IsOfAufs(string[] path)
    {
        for (var index = 0; index < path.Length; index++)
        {
            if (path[index].StartsWith(AufsPrefix, StringComparison.Ordinal) && !(index == path.Length - 1 && path[index] == OpaqueWhiteout))
            {
                return true;
            }
        }

        return false;
    }

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
                    // A file name's limit on every file system that a commit could be checked out to. What a whiteout hides may be as long.
                    var hidden = IsWhiteout(part) ? WhiteoutPrefix.Length : 0;
                    if (part.Length > 255 + hidden || (part.Length > 85 && FileName.ByteCount(part) > 255 + hidden))
                    {
                        throw new ContainerException($"'{text[..Math.Min(text.Length, 120)]}…' has a name of more than 255 bytes");
                    }

                    parts[kept++] = part;
                    break;
            }
        }

        return kept == parts.Length ? parts : parts[..kept];
    }

    /// <summary>The path to store an entry at; null if it is left out.</summary>
    internal string[]? Map(string[] path)
    {
        if (TopLevelOf(path) is not { } top)
        {
            return path is ["etc", ..] or [".wh.etc"] ? ["usr", .. path] : path;
        }

        // The physical root of a machine is mounted there, and hides whatever a commit has.
        if (path is ["sysroot", "ostree", ..])
        {
            return null;
        }

        return RuleOf(top) switch
        {
            TopLevelRule.Keep => path,
            TopLevelRule.Factory => ["usr", "share", "factory", .. path],
            _ => path.Length == 1 && path[0] == top && (top == "var" || TopLevelRules.IsApiFileSystem(top)) ? path : null,
        };
    }

    /// <summary>What a path that is left out is counted under, as ostree-ext does: the first name that does not belong.</summary>
    internal static string CountAs(string[] path) => path.Length > 1 && TopLevelRules.IsApiFileSystem(path[0]) ? path[1] : path[0];

    /// <summary>Whether a name hides something of lower layers instead of being content.</summary>
    internal static bool IsWhiteout(string name) => name.StartsWith(WhiteoutPrefix, StringComparison.Ordinal);

    internal static string Show(ReadOnlySpan<byte> name) =>
        FileName.ForDisplay(FileName.FromBytes(name.Length > 120 ? name[..120] : name));
}
