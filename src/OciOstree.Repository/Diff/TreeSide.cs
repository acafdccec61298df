using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>One of the two trees that are compared: in a repository, or on disk.</summary>
public sealed class TreeSide
{
    private TreeSide()
    {
    }

    internal Repo? Repo { get; private init; }

    internal Checksum Tree { get; private init; }

    internal LinuxDirectory? Directory { get; private init; }

    public static TreeSide OfCommit(Repo repo, Checksum commit) => OfTree(repo, repo.ReadCommit(commit).RootTree);

    public static TreeSide OfTree(Repo repo, Checksum tree) => new() { Repo = repo, Tree = tree };

    /// <summary>A directory; it stays the caller's to close.</summary>
    public static TreeSide OfDirectory(LinuxDirectory directory) => new() { Directory = directory };
}
