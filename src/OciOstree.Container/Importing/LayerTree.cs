using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The tree of one derived layer while its entries come in, in whatever order.</summary>
internal sealed class LayerTree
{
    /// <summary>What a directory gets that no entry describes.</summary>
    private static readonly DirMeta Implied = new(0, 0, 0x41ed /* drwxr-xr-x */, XattrSet.Empty);

    internal abstract class Node;

    internal sealed class DirectoryNode : Node
    {
        internal Dictionary<string, Node> Children { get; private set; } = new(StringComparer.Ordinal);

        /// <summary>Null until an entry describes the directory: then the one that it lies over, if any, keeps its own.</summary>
        internal DirMeta? Meta { get; set; }

        internal void Release() => Children = [];
    }

    /// <summary>A file or a symbolic link; hard links are the same node.</summary>
    internal sealed class FileNode : Node
    {
        /// <summary>Set once the object is written.</summary>
        internal Checksum Checksum { get; set; }

        internal bool IsSymlink { get; init; }

        /// <summary>Whether a hard link gave it another name.</summary>
        internal bool IsLinked { get; set; }
    }

    /// <summary>A hard link to a path that is not in the layer so far.</summary>
    internal sealed class LinkNode(string[] target) : Node
    {
        internal string[] Target => target;
    }

    internal DirectoryNode Root { get; } = new();

    internal Node? Find(ReadOnlySpan<string> path)
    {
        Node? node = Root;
        foreach (var name in path)
        {
            node = (node as DirectoryNode)?.Children.GetValueOrDefault(name);
        }

        return node;
    }

    /// <summary>Puts a node at a path, in the place of whatever is there.</summary>
    internal void Set(ReadOnlySpan<string> path, Node node) => ParentOf(path).Children[path[^1]] = node;

    internal void Remove(ReadOnlySpan<string> path) => ParentOf(path).Children.Remove(path[^1]);

    /// <summary>Describes a directory; what is in it stays.</summary>
    internal void SetDirectory(ReadOnlySpan<string> path, DirMeta meta)
    {
        if (path.IsEmpty)
        {
            Root.Meta = meta;
            return;
        }

        var siblings = ParentOf(path).Children;
        if (siblings.GetValueOrDefault(path[^1]) is not DirectoryNode directory)
        {
            siblings[path[^1]] = directory = new DirectoryNode();
        }

        directory.Meta = meta;
    }

    /// <summary>The paths (<c>/usr/bin/x</c>) of each file that has several.</summary>
    internal List<List<string>> SameFiles()
    {
        Dictionary<FileNode, List<string>> groups = [];
        Collect(Root, "", groups);
        return [.. groups.Values.Where(group => group.Count > 1)];
    }

    /// <summary>
    /// Stores the tree. Appends the paths of the directories that no entry described to <paramref name="implied"/>, and the links that
    /// found no target to <paramref name="links"/>: they are another layer's business. The tree is empty then.
    /// </summary>
    internal (Checksum Tree, Checksum Meta) Write(RepoTransaction transaction, List<string> implied, List<(string Path, string Target)> links) =>
        Write(Root, "", transaction, implied, links);

    private static (Checksum Tree, Checksum Meta) Write(DirectoryNode directory, string path, RepoTransaction transaction, List<string> implied, List<(string Path, string Target)> links)
    {
        if (directory.Meta is null)
        {
            implied.Add(path.Length == 0 ? "/" : path);
        }

        var files = new DirTreeFile[directory.Children.Values.Count(node => node is FileNode)];
        var count = 0;
        List<DirTreeDirectory> directories = [];
        foreach (var (name, node) in directory.Children)
        {
            switch (node)
            {
                case FileNode file:
                    files[count++] = new DirTreeFile(name, file.Checksum);
                    break;
                case LinkNode link:
                    links.Add(($"{path}/{name}", string.Join('/', link.Target)));
                    break;
                case DirectoryNode child:
                    var (tree, meta) = Write(child, $"{path}/{name}", transaction, implied, links);
                    directories.Add(new DirTreeDirectory(name, tree, meta));
                    break;
            }
        }

        // A layer may have a million names in one directory: what is written needs no room any more.
        directory.Release();
        return (transaction.WriteDirTree(DirTree.TakeOver(files, [.. directories])), transaction.WriteDirMeta(directory.Meta ?? Implied));
    }

    private static void Collect(DirectoryNode directory, string path, Dictionary<FileNode, List<string>> groups)
    {
        foreach (var (name, node) in directory.Children)
        {
            if (node is DirectoryNode child)
            {
                Collect(child, $"{path}/{name}", groups);
            }
            else if (node is FileNode { IsLinked: true } file)
            {
                if (!groups.TryGetValue(file, out var group))
                {
                    groups.Add(file, group = []);
                }

                group.Add($"{path}/{name}");
            }
        }
    }

    private DirectoryNode ParentOf(ReadOnlySpan<string> path)
    {
        var parent = Root;
        for (var depth = 0; depth < path.Length - 1; depth++)
        {
            switch (parent.Children.GetValueOrDefault(path[depth]))
            {
                case DirectoryNode directory:
                    parent = directory;
                    break;
                case null:
                    var added = new DirectoryNode();
                    parent.Children.Add(path[depth], added);
                    parent = added;
                    break;
                case FileNode { IsSymlink: true }:
                    throw Beneath(path, depth, "a symbolic link");
                default:
                    throw Beneath(path, depth, "a file");
            }
        }

        return parent;
    }

    private static ContainerException Beneath(ReadOnlySpan<string> path, int depth, string what) =>
        new($"'{string.Join('/', path.ToArray())}' lies beneath '{string.Join('/', path[..(depth + 1)].ToArray())}', which is {what}");
}
