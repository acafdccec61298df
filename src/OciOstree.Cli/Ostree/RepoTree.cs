using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>A directory or a file in a commit.</summary>
/// <param name="Path">Absolute, in the commit.</param>
/// <param name="Content">A directory's tree, a file's checksum.</param>
/// <param name="Meta">A directory's metadata; null for a file.</param>
internal sealed record RepoNode(string Path, Checksum Content, Checksum? Meta)
{
    public bool IsDirectory => Meta is not null;

    public string ChildPath(string name) => Path == "/" ? $"/{name}" : $"{Path}/{name}";
}

/// <summary>Looks paths up in a commit.</summary>
internal sealed class RepoTree(Repo repo, Checksum commit)
{
    // As the kernel: more links than this lead in a circle.
    private const int MaxLinks = 40;

    private readonly Commit value = repo.ReadCommit(commit);

    public Commit Commit => value;

    public RepoNode Root => new("/", value.RootTree, value.RootMeta);

    /// <exception cref="RepositoryException">There is no such path.</exception>
    public RepoNode Resolve(string path) => TryResolve(path) ?? throw new RepositoryException($"No such file or directory: {Normalize(path)}");

    public RepoNode? TryResolve(string path)
    {
        RepoNode node = Root;
        foreach (string name in path.Split('/'))
        {
            if (name is "" or ".")
                continue;
            if (!node.IsDirectory)
                throw new RepositoryException("Not a directory");
            DirTree tree = repo.ReadDirTree(node.Content);
            if (tree.TryGetDirectory(name, out DirTreeDirectory directory))
                node = new RepoNode(node.ChildPath(name), directory.Tree, directory.Meta);
            else if (tree.TryGetFile(name, out Checksum file))
                node = new RepoNode(node.ChildPath(name), file, null);
            else
                return null;
        }
        return node;
    }

    /// <summary>A path's file, symbolic links at its end followed within the commit.</summary>
    public RepoNode ResolveFile(string path)
    {
        RepoNode node = Resolve(path);
        for (int links = 0; !node.IsDirectory && repo.ReadFileHeader(node.Content, out _) is { IsSymlink: true } link; links++)
        {
            if (links == MaxLinks)
                throw new RepositoryException($"Too many levels of symbolic links: {Normalize(path)}");
            string target = link.SymlinkTarget;
            node = Resolve(target.StartsWith('/') ? target : Collapse(node.Path[..(node.Path.LastIndexOf('/') + 1)] + target));
        }
        return node;
    }

    private static string Normalize(string path) => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));

    // ".." leads no further up than the root.
    private static string Collapse(string path)
    {
        var names = new List<string>();
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (name != "..")
                names.Add(name);
            else if (names.Count > 0)
                names.RemoveAt(names.Count - 1);
        }
        return "/" + string.Join('/', names);
    }
}
