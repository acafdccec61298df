using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The tree of one derived layer while its entries come in, in whatever order.</summary>
/// <param name="temporary">Where a file may be made for what does not fit into memory.</param>
internal sealed class LayerTree(LinuxDirectory temporary) : IDisposable
{
    // So many files have objects of their own before those that are written are packed.
    private const int MaxOpenFiles = 8192;

    /// <summary>What a directory gets that no entry describes.</summary>
    private static readonly DirMeta Implied = new(0, 0, 0x41ed /* drwxr-xr-x */, XattrSet.Empty);

    internal abstract class Node;

    internal sealed class DirectoryNode : Node
    {
        /// <summary>All that is in the directory but files that were packed: those are found with <see cref="LayerTree.Find(DirectoryNode, string)"/>.</summary>
        internal Dictionary<string, Node> Open { get; private set; } = new(StringComparer.Ordinal);

        /// <summary>The number under which files of the directory are packed; negative if none are.</summary>
        internal int Id { get; set; } = -1;

        internal uint LastSettled { get; set; } = SettledFiles.None;

        /// <summary>Whether it has files that may be packed.</summary>
        internal bool IsListed { get; set; }

        /// <summary>Null until an entry describes the directory: then the one that it lies over, if any, keeps its own.</summary>
        internal DirMeta? Meta { get; set; }

        internal void Release() => Open = [];
    }

    /// <summary>A file or a symbolic link; hard links are the same node.</summary>
    internal sealed class FileNode : Node
    {
        private Checksum checksum;
        private bool isWritten;

        /// <summary>Set once, on any thread, when the object is written.</summary>
        internal Checksum Checksum
        {
            get => checksum;
            set
            {
                checksum = value;
                Volatile.Write(ref isWritten, true);
            }
        }

        internal bool IsWritten => Volatile.Read(ref isWritten);

        internal bool IsSymlink { get; init; }

        /// <summary>Whether a hard link gave it another name.</summary>
        internal bool IsLinked { get; set; }
    }

    /// <summary>A hard link to a path that is not in the layer so far.</summary>
    internal sealed class LinkNode(string[] target) : Node
    {
        internal string[] Target => target;

        /// <summary>What it came to mean, once somebody has asked: a file, or a link to what the layer does not have.</summary>
        internal Node? Resolved { get; set; }
    }

    private readonly SettledFiles settled = new(temporary);
    private readonly List<DirectoryNode> listed = [];
    private int openFiles;
    private int packedDirectories;

    internal DirectoryNode Root { get; } = new();

    internal Node? Find(ReadOnlySpan<string> path)
    {
        Node? node = Root;
        foreach (var name in path)
        {
            node = node is DirectoryNode directory ? Find(directory, name) : null;
        }

        return node;
    }

    /// <summary>Puts a node at a path, in the place of whatever is there.</summary>
    internal void Set(ReadOnlySpan<string> path, Node node)
    {
        if (openFiles >= MaxOpenFiles)
        {
            Settle();
        }

        var parent = ParentOf(path);
        Find(parent, path[^1]);
        Put(parent, path[^1], node);
    }

    internal void Remove(ReadOnlySpan<string> path)
    {
        var parent = ParentOf(path);
        Find(parent, path[^1]);
        parent.Open.Remove(path[^1]);
    }

    /// <summary>What a directory has under a name, as a node of its own from now on; null if nothing.</summary>
    internal Node? Find(DirectoryNode directory, string name)
    {
        if (directory.Open.TryGetValue(name, out var node))
        {
            return node;
        }

        if (directory.Id < 0 || !settled.TryTake(directory.Id, name, out var checksum, out var isSymlink))
        {
            return null;
        }

        var file = new FileNode { IsSymlink = isSymlink, Checksum = checksum };
        Put(directory, name, file);
        return file;
    }

    private void Put(DirectoryNode directory, string name, Node node)
    {
        directory.Open[name] = node;
        if (node is not FileNode)
        {
            return;
        }

        openFiles++;
        if (!directory.IsListed)
        {
            directory.IsListed = true;
            listed.Add(directory);
        }
    }

    /// <summary>Packs the files that nothing but their name leads to. One that is linked stays a node: its names share it.</summary>
    private void Settle()
    {
        openFiles = 0;
        listed.RemoveAll(directory =>
        {
            var waiting = Settle(directory);
            openFiles += waiting;
            directory.IsListed = waiting > 0;
            return waiting == 0;
        });
    }

    // Returns how many files are still to be written.
    private int Settle(DirectoryNode directory)
    {
        var (waiting, packed) = (0, 0);
        foreach (var (name, node) in directory.Open)
        {
            if (node is not FileNode { IsLinked: false } file || FileName.ByteCount(name) > SettledFiles.MaxNameLength)
            {
                continue;
            }

            if (!file.IsWritten)
            {
                waiting++;
                continue;
            }

            directory.Id = directory.Id < 0 ? packedDirectories++ : directory.Id;
            directory.LastSettled = settled.Add(directory.Id, directory.LastSettled, name, file.Checksum, file.IsSymlink);
            directory.Open.Remove(name);
            packed++;
        }

        if (packed > 0)
        {
            directory.Open.TrimExcess();
        }

        return waiting;
    }

    /// <summary>Whether a file or a link of the layer is in the place of a directory that leads to a path.</summary>
    internal bool IsBlocked(ReadOnlySpan<string> path)
    {
        Node? node = Root;
        for (var depth = 0; node is DirectoryNode directory && depth < path.Length - 1; depth++)
        {
            node = Find(directory, path[depth]);
        }

        return node is FileNode or LinkNode;
    }

    /// <summary>Describes a directory; what is in it stays.</summary>
    internal void SetDirectory(ReadOnlySpan<string> path, DirMeta meta)
    {
        if (path.IsEmpty)
        {
            Root.Meta = meta;
            return;
        }

        var parent = ParentOf(path);
        if (Find(parent, path[^1]) is not DirectoryNode directory)
        {
            parent.Open[path[^1]] = directory = new DirectoryNode();
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
        Write(Root, "", transaction, new DirTreeBuilder(), implied, links);

    private (Checksum Tree, Checksum Meta) Write(
        DirectoryNode directory, string path, RepoTransaction transaction, DirTreeBuilder tree, List<string> implied, List<(string Path, string Target)> links)
    {
        if (directory.Meta is null)
        {
            implied.Add(path.Length == 0 ? "/" : path);
        }

        // The builder is in use for one directory at a time.
        List<(string Name, Checksum Tree, Checksum Meta)> children = [];
        foreach (var (name, node) in directory.Open)
        {
            if (node is DirectoryNode child)
            {
                var (childTree, childMeta) = Write(child, $"{path}/{name}", transaction, tree, implied, links);
                children.Add((name, childTree, childMeta));
            }
        }

        tree.Clear();
        settled.CopyTo(directory.LastSettled, tree);
        foreach (var (name, node) in directory.Open)
        {
            if (node is FileNode file)
            {
                tree.AddFile(name, file.Checksum);
            }
            else if (node is LinkNode link)
            {
                links.Add(($"{path}/{name}", string.Join('/', link.Target)));
            }
        }

        foreach (var (name, childTree, childMeta) in children)
        {
            tree.AddDirectory(name, childTree, childMeta);
        }

        directory.Release();
        return (transaction.WriteDirTree(tree), transaction.WriteDirMeta(directory.Meta ?? Implied));
    }

    public void Dispose() => settled.Dispose();

    private static void Collect(DirectoryNode directory, string path, Dictionary<FileNode, List<string>> groups)
    {
        foreach (var (name, node) in directory.Open)
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
            switch (Find(parent, path[depth]))
            {
                case DirectoryNode directory:
                    parent = directory;
                    break;
                case null:
                    var added = new DirectoryNode();
                    parent.Open.Add(path[depth], added);
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
