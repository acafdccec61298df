using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>What changed between two trees. Paths begin with a slash and come as the first (or, for what was added, the second) tree has them: a directory's files by name, then its subdirectories.</summary>
public sealed class TreeDiff
{
    private readonly List<string> modified = [], removed = [], added = [];
    private readonly TreeDiffOptions options;
    private readonly bool ignoreXattrs;

    private TreeDiff(TreeDiffOptions options, bool ignoreXattrs) => (this.options, this.ignoreXattrs) = (options, ignoreXattrs);

    /// <summary>In both, but of another type, content, owner or mode, or with other xattrs.</summary>
    public IReadOnlyList<string> Modified => modified;

    /// <summary>Only in the first; of a directory just itself.</summary>
    public IReadOnlyList<string> Removed => removed;

    /// <summary>Only in the second; of a directory itself and everything beneath.</summary>
    public IReadOnlyList<string> Added => added;

    public bool IsEmpty => modified.Count + removed.Count + added.Count == 0;

    /// <summary>Compares two trees; of two in repositories only the directories that differ are read.</summary>
    /// <exception cref="RepositoryException">Something on disk is nothing that a commit can hold.</exception>
    public static TreeDiff Between(TreeSide first, TreeSide second, TreeDiffOptions? options = null)
    {
        options ??= new TreeDiffOptions();
        // A repository without xattrs has nothing to compare those on disk with.
        bool ignoreXattrs = options.IgnoreXattrs || HasNoXattrs(first.Repo) || HasNoXattrs(second.Repo);
        var diff = new TreeDiff(options, ignoreXattrs);
        using ISide a = Open(first), b = Open(second);
        diff.Compare(a, b, "/");
        return diff;

        static bool HasNoXattrs(Repo? repo) => repo != null && (repo.Mode == RepoMode.BareUserOnly || repo.Settings.DisableXattrs);
    }

    private void Compare(ISide a, ISide b, string path)
    {
        if (a.Contents is { } one && one == b.Contents)
            return;
        TreeDepth.Check();
        IReadOnlyList<Node> theirs = b.Read();
        var others = theirs.ToDictionary(static node => node.Name, StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Node node in a.Read())
        {
            names.Add(node.Name);
            if (!others.TryGetValue(node.Name, out Node other))
            {
                removed.Add(path + node.Name);
                continue;
            }
            if (node.IsDirectory != other.IsDirectory || a.ChecksumOf(node, this, null) != b.ChecksumOf(other, this, options))
                modified.Add(path + node.Name);
            if (!node.IsDirectory || !other.IsDirectory)
                continue;
            using ISide childA = a.Enter(node), childB = b.Enter(other);
            Compare(childA, childB, path + node.Name + "/");
        }
        foreach (Node other in theirs)
        {
            if (!names.Contains(other.Name))
                Add(b, other, path + other.Name);
        }
    }

    private void Add(ISide side, Node node, string path)
    {
        added.Add(path);
        if (!node.IsDirectory)
            return;
        TreeDepth.Check();
        using ISide child = side.Enter(node);
        foreach (Node inside in child.Read())
            Add(child, inside, path + "/" + inside.Name);
    }

    private static ISide Open(TreeSide side) =>
        side.Repo != null ? new StoredSide(side.Repo, side.Tree) : new DiskSide(side.Directory!, owned: false);

    // Checksum is the object's, or the directory's metadata's; of something on disk it is made when it is asked for.
    private readonly record struct Node(string Name, bool IsDirectory, Checksum Checksum, Checksum Tree);

    private interface ISide : IDisposable
    {
        Checksum? Contents { get; }

        IReadOnlyList<Node> Read();

        Checksum ChecksumOf(Node node, TreeDiff diff, TreeDiffOptions? owners);

        ISide Enter(Node node);
    }

    private sealed class StoredSide(Repo repo, Checksum tree) : ISide
    {
        public Checksum? Contents => tree;

        public IReadOnlyList<Node> Read()
        {
            DirTree contents = repo.ReadDirTree(tree);
            return
            [
                // A link and a file never have the same checksum, so which of the two it is does not matter.
                .. contents.Files.Select(static file => new Node(file.Name, IsDirectory: false, file.Checksum, default)),
                .. contents.Directories.Select(static directory => new Node(directory.Name, IsDirectory: true, directory.Meta, directory.Tree)),
            ];
        }

        public Checksum ChecksumOf(Node node, TreeDiff diff, TreeDiffOptions? owners) => node.Checksum;

        public ISide Enter(Node node) => new StoredSide(repo, node.Tree);

        public void Dispose()
        {
        }
    }

    private sealed class DiskSide(LinuxDirectory directory, bool owned) : ISide
    {
        public Checksum? Contents => null;

        public IReadOnlyList<Node> Read() =>
        [
            .. directory.ReadEntries()
                .Select(entry => entry.Type == FileType.Unknown ? entry with { Type = directory.Status(entry.Name).Type } : entry)
                .OrderBy(static entry => entry.Type == FileType.Directory)
                .ThenBy(static entry => entry.Name, StringComparer.Ordinal)
                .Select(static entry => new Node(entry.Name, entry.Type == FileType.Directory, default, default)),
        ];

        public Checksum ChecksumOf(Node node, TreeDiff diff, TreeDiffOptions? owners) =>
            FileChecksum.Of(directory, node.Name, diff.ignoreXattrs, uid: owners?.OwnerUid, gid: owners?.OwnerGid);

        public ISide Enter(Node node) => new DiskSide(directory.OpenDirectory(node.Name), owned: true);

        public void Dispose()
        {
            if (owned)
                directory.Dispose();
        }
    }
}
