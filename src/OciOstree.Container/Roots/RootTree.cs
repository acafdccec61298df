using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The root file system of a machine to be, as a container of the image shows it: read from a directory, from a commit, or from an image's
/// layers without importing them. Holds names and attributes; content is opened where it lies.
/// </summary>
public sealed partial class RootTree : IDisposable
{
    // As many as the kernel follows.
    private const int MaxLinks = 40;

    // Far beyond any system: what nests deeper was made to break readers.
    private const int MaxDepth = 1000;

    private readonly Func<RootNode, Stream?> open;
    private readonly IDisposable? held;

    private RootTree(RootNode root, Func<RootNode, Stream?> open, IDisposable? held = null) => (Root, this.open, this.held) = (root, open, held);

    public RootNode Root { get; }

    /// <summary>The file at a path; links are followed in none of its parts. Null if there is none.</summary>
    public RootNode? Find(string path)
    {
        RootNode? node = Root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node?.Child(name);
        }

        return node;
    }

    /// <summary>The file that a path leads to, links followed as if the tree were the root. Null if it leads nowhere.</summary>
    public RootNode? Resolve(string path)
    {
        var links = 0;
        return Resolve(Root, path, ref links);
    }

    /// <summary>The content of a regular file that a path leads to; null if there is none, or its content is not at hand.</summary>
    public Stream? Open(string path) => Resolve(path) is { IsFile: true } node ? open(node) : null;

    /// <summary>The content of a regular file; null if it is not at hand.</summary>
    public Stream? Open(RootNode node) => node.IsFile ? open(node) : null;

    /// <summary>A small text file, links followed; null if there is none.</summary>
    /// <exception cref="ContainerException">It is larger than any such file.</exception>
    public string? ReadText(string path, int limit = 1 << 20) => Resolve(path) is { IsFile: true } node ? ReadText(node, limit) : null;

    /// <summary>A small text file; null if its content is not at hand.</summary>
    /// <exception cref="ContainerException">It is larger than any such file.</exception>
    public string? ReadText(RootNode node, int limit = 1 << 20)
    {
        if (node.Size > limit)
        {
            throw new ContainerException($"{node.Path} is larger than {limit >> 10} KiB");
        }

        using var content = Open(node);
        if (content is null)
        {
            return null;
        }

        var bytes = new byte[node.Size];
        var count = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    public void Dispose() => held?.Dispose();

    /// <summary>Reads a directory; an <c>usr/etc</c> without <c>etc</c> is that, as in a commit. What is mounted in it is named, and not entered.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    public static RootTree FromDirectory(string path)
    {
        var directory = LinuxDirectory.Open(path);
        try
        {
            var root = new RootNode(null, "");
            Describe(root, directory.Status());
            Read(directory, root, 0);
            var isCommitted = TakeEtc(root);
            return new RootTree(root, Open, directory);

            Stream Open(RootNode node)
            {
                var name = node.Path;
                return new FileStream(directory.OpenInRoot(isCommitted && name.StartsWith("/etc/", StringComparison.Ordinal) ? "/usr" + name : name, OpenFlags.ReadOnly | OpenFlags.NoFollow), FileAccess.Read, 1);
            }
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Reads a commit; its <c>usr/etc</c> is <c>etc</c>, as in a container.</summary>
    /// <exception cref="RepositoryException">An object is missing or damaged.</exception>
    public static RootTree FromCommit(Repo repo, Checksum checksum)
    {
        var commit = repo.ReadCommit(checksum);
        var root = new RootNode(null, "");
        Describe(root, repo.ReadDirMeta(commit.RootMeta));
        Read(repo, commit.RootTree, root, 0);
        TakeEtc(root);
        return new RootTree(root, node => repo.OpenFile((Checksum)node.Content!).Content);
    }

    /// <summary>The files at wanted paths of a commit that was read already; owners and permissions are not.</summary>
    internal static RootTree PartOfCommit(CommitContent content, Func<string, bool> wanted)
    {
        var root = new RootNode(null, "") { Type = FileType.Directory };
        foreach (var item in content.Objects)
        {
            foreach (var path in item.Paths.Where(path => wanted(path.ToString())))
            {
                var node = root;
                foreach (var name in path.ToString().Split('/'))
                {
                    node.Type = FileType.Directory;
                    node = node.GetOrAdd(name);
                }

                (node.Type, node.Size, node.LinkTarget, node.Content) = (item.SymlinkTarget is null ? FileType.RegularFile : FileType.SymbolicLink, item.Size, item.SymlinkTarget, item.Checksum);
            }
        }

        return new RootTree(root, node => content.Repo.OpenFile((Checksum)node.Content!).Content);
    }

    private static void Read(LinuxDirectory directory, RootNode node, int depth)
    {
        foreach (var entry in directory.ReadEntries())
        {
            // What is removed meanwhile was never there.
            if (directory.TryStatus(entry.Name) is not { } status)
            {
                continue;
            }

            var child = node.GetOrAdd(entry.Name);
            Describe(child, status);
            child.IsMount = status.IsMountRoot;
            if (child.IsLink)
            {
                child.LinkTarget = directory.ReadLink(entry.Name);
            }

            // A container's own repository is its layers once more.
            var isOwnObjects = depth == 3 && entry.Name == "objects" && child.Path == "/sysroot/ostree/repo/objects";
            if (child.IsDirectory && !child.IsMount && !isOwnObjects)
            {
                CheckDepth(depth, child);
                using var inner = directory.OpenDirectory(entry.Name);
                Read(inner, child, depth + 1);
            }
        }
    }

    private static void Read(Repo repo, Checksum tree, RootNode node, int depth)
    {
        var entries = repo.ReadDirTree(tree);
        foreach (var file in entries.Files)
        {
            var header = repo.ReadFileHeader(file.Checksum, out var size);
            var child = node.GetOrAdd(file.Name);
            (child.Type, child.Permissions) = (FileStatus.TypeOf(header.Mode), header.Mode & ModeBits.PermissionMask);
            (child.Uid, child.Gid, child.Size) = (header.Uid, header.Gid, size);
            child.LinkTarget = header.IsSymlink ? header.SymlinkTarget : null;
            child.Content = file.Checksum;
        }

        foreach (var directory in entries.Directories)
        {
            var child = node.GetOrAdd(directory.Name);
            Describe(child, repo.ReadDirMeta(directory.Meta));
            CheckDepth(depth, child);
            Read(repo, directory.Tree, child, depth + 1);
        }
    }

    private static void CheckDepth(int depth, RootNode node)
    {
        if (depth > MaxDepth)
        {
            throw new ContainerException($"{node.Path} is deeper than {MaxDepth} levels");
        }
    }

    private static void Describe(RootNode node, FileStatus status) =>
        (node.Type, node.Permissions, node.Uid, node.Gid, node.Size) = (status.Type, status.Permissions, status.Uid, status.Gid, status.IsRegularFile ? status.Size : 0);

    private static void Describe(RootNode node, DirMeta meta) =>
        (node.Type, node.Permissions, node.Uid, node.Gid) = (FileType.Directory, meta.Mode & ModeBits.PermissionMask, meta.Uid, meta.Gid);

    /// <returns>Whether the root is laid out as a commit is.</returns>
    private static bool TakeEtc(RootNode root)
    {
        if (root.Child("etc") is not null || root.Child("usr")?.Child("etc") is not { IsDirectory: true } etc)
        {
            return false;
        }

        Move(etc, root.GetOrAdd("etc"));
        root.Child("usr")!.Remove("etc");
        return true;
    }

    private static void Move(RootNode from, RootNode to)
    {
        to.Become(from);
        foreach (var child in from.Children)
        {
            Move(child, to.GetOrAdd(child.Name));
        }
    }

    private RootNode? Resolve(RootNode from, string path, ref int links)
    {
        var node = path.StartsWith('/') ? Root : from;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (name)
            {
                case ".":
                    continue;
                case "..":
                    node = node.Parent ?? node;
                    continue;
            }

            if (node.Child(name) is not { } child)
            {
                return null;
            }

            if (child is { IsLink: true, LinkTarget: { } target })
            {
                if (++links > MaxLinks || Resolve(node, target, ref links) is not { } found)
                {
                    return null;
                }

                child = found;
            }

            node = child;
        }

        return node;
    }
}
