namespace OciOstree.Repository.Tests;

/// <summary>
/// An archive for a server, made once for all tests of a class, each of which gets a copy: <c>os/main</c> with two commits of a tree, and <c>other</c>.
/// </summary>
public sealed class PulledSource : IDisposable
{
    private readonly ScratchDirectory scratch = new("pull-source");

    public PulledSource()
    {
        TreeBuilder.Build(scratch["tree"], shape: TreeShape.Plain with { EmptyXattrs = false });
        scratch.Write("tree/usr/bin/tool", "tool");
        scratch.Write("tree/usr/share/doc/text", "text");
        First = Ostree.Commit(Ostree.Init(scratch["source"], RepoMode.Archive), scratch["tree"], "os/main");
        scratch.Write("tree/usr/bin/tool", "newer tool");
        Second = Ostree.Commit(scratch["source"], scratch["tree"], "os/main", "--timestamp=@1700001000");
        Ostree.Commit(scratch["source"], scratch["tree"], "other");
    }

    /// <summary>What <c>os/main</c> began with.</summary>
    public Checksum First { get; }

    /// <summary>What <c>os/main</c> is at.</summary>
    public Checksum Second { get; }

    /// <summary>Lays the repository <c>source</c> and the directory <c>tree</c> that it was made of into another directory.</summary>
    public void CopyTo(string directory) => Tool.Run("cp", "-a", "--", scratch["source"], scratch["tree"], directory).Ok();

    public void Dispose() => scratch.Dispose();
}
