using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>What a commit holds: its directories, and its content objects with their sizes and paths. Holds names, no content.</summary>
public sealed class CommitContent
{
    // Far beyond any system. A tree of few objects can name itself over and over, and have more paths than memory holds.
    private const int MaxDepth = 2000;
    private const int MaxPaths = 10_000_000;

    private readonly Dictionary<string, DirTree> directories;
    private readonly Dictionary<Checksum, ContentObject> byChecksum;

    private CommitContent(Repo repo, Commit commit, Dictionary<string, DirTree> directories, List<ContentObject> objects)
    {
        Repo = repo;
        Commit = commit;
        this.directories = directories;
        Objects = objects;
        byChecksum = objects.ToDictionary(o => o.Checksum);
    }

    public Repo Repo { get; }

    public Commit Commit { get; }

    /// <summary>Sorted by checksum.</summary>
    public IReadOnlyList<ContentObject> Objects { get; }

    /// <summary>Directories by their path in the tree (the root's is empty), in the tree's order: parents before children, siblings sorted.</summary>
    public IReadOnlyDictionary<string, DirTree> Directories => directories;

    /// <summary>Walks the commit; file headers are read on all cores.</summary>
    /// <exception cref="RepositoryException">An object is missing or damaged.</exception>
    public static CommitContent Read(Repo repo, Checksum checksum, CancellationToken cancellationToken = default)
    {
        Commit commit = repo.ReadCommit(checksum);
        var directories = new Dictionary<string, DirTree>(StringComparer.Ordinal);
        var paths = new Dictionary<Checksum, List<ContentPath>>();
        var trees = new Dictionary<Checksum, (DirTree Tree, long Paths)>();
        if (Load(commit.RootTree, depth: 0) > MaxPaths)
        {
            throw new ContainerException($"commit {checksum} has more than {MaxPaths} paths");
        }

        Walk("", commit.RootTree);

        Checksum[] found = [.. paths.Keys];
        Array.Sort(found);
        var objects = new ContentObject[found.Length];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        try
        {
            Parallel.For(0, found.Length, options, i =>
            {
                FileHeader header = repo.ReadFileHeader(found[i], out long size);
                objects[i] = new ContentObject(found[i], size, header.IsSymlink ? header.SymlinkTarget : null, paths[found[i]]);
            });
        }
        catch (AggregateException e) when (e.InnerException is { } first)
        {
            throw new ContainerException($"Reading commit {checksum}", first);
        }

        return new CommitContent(repo, commit, directories, [.. objects]);

        // Reads each tree once, and counts the paths that it stands for before any is made.
        long Load(Checksum tree, int depth)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (trees.TryGetValue(tree, out (DirTree Tree, long Paths) known))
            {
                return known.Paths;
            }

            if (depth > MaxDepth)
            {
                throw new ContainerException($"commit {checksum} has more than {MaxDepth} levels of directories");
            }

            DirTree directory = repo.ReadDirTree(tree);
            long count = directory.Files.Count;
            foreach (DirTreeDirectory child in directory.Directories)
            {
                count = Math.Min(count + 1 + Load(child.Tree, depth + 1), long.MaxValue / 2);
            }

            trees.Add(tree, (directory, count));
            return count;
        }

        void Walk(string path, Checksum tree)
        {
            DirTree directory = trees[tree].Tree;
            directories.Add(path, directory);
            foreach (DirTreeFile file in directory.Files)
            {
                if (!paths.TryGetValue(file.Checksum, out List<ContentPath>? list))
                {
                    paths.Add(file.Checksum, list = new List<ContentPath>(1));
                }

                list.Add(new ContentPath(path, file.Name));
            }

            foreach (DirTreeDirectory child in directory.Directories)
            {
                Walk(path.Length == 0 ? child.Name : $"{path}/{child.Name}", child.Tree);
            }
        }
    }

    public ContentObject? Find(Checksum checksum) => byChecksum.GetValueOrDefault(checksum);

    /// <summary>The object at a path of the tree (no links are followed); null if there is none or a directory.</summary>
    public ContentObject? Find(string directory, string name)
        => directories.TryGetValue(directory, out DirTree? tree) && tree.TryGetFile(name, out Checksum checksum) ? Find(checksum) : null;
}
