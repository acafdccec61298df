using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Finds what a path of a running system means in a commit's tree: links to directories are followed (<c>/bin</c> is <c>usr/bin</c>), and
/// <c>/etc</c> is <c>usr/etc</c>.
/// </summary>
internal sealed class TreePaths(CommitContent content)
{
    private const int MaxLinks = 40; // as the kernel

    private readonly Dictionary<string, string?> resolved = new(StringComparer.Ordinal) { [""] = "" };

    /// <summary>The tree's path, without leading slash; its last part is not followed. Null if its directory is not in the tree.</summary>
    internal string? Resolve(string path)
    {
        path = path.Trim('/');
        int slash = path.LastIndexOf('/');
        string name = path[(slash + 1)..];
        if (name.Length == 0 || name is "." or ".." || Directory(slash < 0 ? "" : path[..slash], MaxLinks) is not { } directory)
        {
            return null;
        }

        return directory.Length == 0 ? name : $"{directory}/{name}";
    }

    private string? Directory(string path, int links)
    {
        if (resolved.TryGetValue(path, out string? known))
        {
            return known;
        }

        int slash = path.LastIndexOf('/');
        string? parent = Directory(slash < 0 ? "" : path[..slash], links);
        string? found = parent is null ? null : Child(parent, path[(slash + 1)..], links);
        resolved[path] = found;
        return found;
    }

    private string? Child(string parent, string name, int links)
    {
        if (name is "" or ".")
        {
            return parent;
        }

        if (name == "..")
        {
            return parent.LastIndexOf('/') is >= 0 and var at ? parent[..at] : "";
        }

        string path = parent.Length == 0 ? name : $"{parent}/{name}";
        if (content.Directories.ContainsKey(path))
        {
            return path;
        }

        if (content.Find(parent, name) is { SymlinkTarget: { } target })
        {
            return links == 0 ? null : Directory(Join(target.StartsWith('/') ? "" : parent, target), links - 1);
        }

        return path == "etc" && content.Directories.ContainsKey("usr/etc") ? "usr/etc" : null;
    }

    private static string Join(string parent, string relative)
    {
        relative = relative.Trim('/');
        return parent.Length == 0 ? relative : relative.Length == 0 ? parent : $"{parent}/{relative}";
    }
}
