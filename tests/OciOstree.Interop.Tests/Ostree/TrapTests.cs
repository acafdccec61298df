namespace OciOstree.Interop.Tests.Ostree;

/// <summary>Where ostree leaves its users in the dark or loses what is theirs, and ours does not. What the real one does is held fast beside it.</summary>
public sealed class TrapTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public TrapTests() => Tool.Shell("""
        mkdir -p tree/dir/deep; echo one > tree/dir/deep/one; echo two > tree/two
        ostree init --repo=repo --mode=archive; ostree --repo=repo commit -b main --timestamp=@1700000000 tree
        """, scratch.Path).Ok();

    public void Dispose() => scratch.Dispose();

    // What a power cut can leave. The real one takes it for a ref to nothing, and all that the ref stood for is gone.
    [Fact]
    public void APruneDoesNotDeleteWhatAnEmptyRefFileStoodFor()
    {
        (ToolResult real, ToolResult ours) = Both(": > $1/refs/heads/main", "prune", "--refs-only");
        Assert.Equal(0, real.ExitCode);
        Assert.Empty(Objects("real"));
        Assert.Equal(1, ours.ExitCode);
        Assert.Contains("'refs/heads/main': its file is empty", ours.Error, StringComparison.Ordinal);
        Assert.Equal(Objects("repo"), Objects("ours"));
        // The way out.
        OurProgram.Ostree("refs", "--repo=" + scratch["ours"], "--delete", "main").Ok();
        OurProgram.Ostree("fsck", "--repo=" + scratch["ours"]).Ok();
    }

    [Theory]
    [InlineData("mkfifo dir/deep/thing")]
    [InlineData("mknod dir/deep/thing c 1 3")]
    public void WhatCannotBeCommittedIsNamedWithItsPath(string make)
    {
        Tool.Shell("cd tree && " + make, scratch.Path).Ok();
        (ToolResult real, ToolResult ours) = Both(":", "commit", "-b", "x", scratch["tree"]);
        Assert.Equal("error: Not a regular file or symlink: thing\n", real.Error);
        Assert.Equal("error: Not a regular file or symlink: /dir/deep/thing\n", ours.Error);
        Assert.Equal((1, 1), (real.ExitCode, ours.ExitCode));
    }

    [Fact]
    public void WhatIsNoRepositoryIsNamed()
    {
        (ToolResult real, ToolResult ours) = Both("rm -r $1/objects", "refs");
        Assert.Equal("error: opening repo: opendir(objects): No such file or directory\n", real.Error);
        Assert.Equal($"error: opening repo: {scratch["ours"]} is no repository: opendir(objects): No such file or directory\n", ours.Error);
        (real, ours) = Both("rm $1/config", "refs");
        Assert.Equal("error: opening repo: openat(config): No such file or directory\n", real.Error);
        Assert.Equal($"error: opening repo: {scratch["ours"]} is no repository: openat(config): No such file or directory\n", ours.Error);
    }

    [Theory]
    [InlineData("main/below")]
    [InlineData("main/below/deeper")]
    public void TheRefInTheWayOfAnotherIsNamed(string name)
    {
        (ToolResult real, ToolResult ours) = Both(":", "refs", "--create=" + name, "main");
        Assert.Equal($"error: openat(refs/heads/{name}): Not a directory\n", real.Error);
        Assert.Equal($"error: refs/heads/{name} cannot be made: refs/heads/main is a ref: Not a directory\n", ours.Error);
        Assert.Equal((1, 1), (real.ExitCode, ours.ExitCode));
        Assert.Equal("main", OurProgram.Ostree("refs", "--repo=" + scratch["ours"]).Ok().OutputLine);
    }

    [Fact]
    public void TooLittleSpaceIsNamedWithItsDiskAndSetting()
    {
        (ToolResult real, ToolResult ours) = Both("ostree --repo=$1 config set core.min-free-space-size 900TB; echo more > tree/more", "commit", "-b", "x", scratch["tree"]);
        Assert.Contains("min-free-space-size 943718400MB would be exceeded, at least ", real.Error, StringComparison.Ordinal);
        Assert.Matches(
            $@"min-free-space-size 943718400MB would be exceeded, at least .*: [0-9]+ MB of [0-9]+ MB are free on the file system of '{scratch["ours"]}', and core\.min-free-space-size keeps 943718400 MB\n$", ours.Error);
        Assert.Equal((1, 1), (real.ExitCode, ours.ExitCode));
    }

    // Which of a hundred commits it is that a prune stumbles over.
    [Fact]
    public void TheCommitWithoutItsDirectoryIsNamed()
    {
        string tree = Tool.Shell("ostree --repo=repo ls -dC main / | awk '{print $5}'", scratch.Path).Ok().OutputLine, commit = Tool.Shell("ostree --repo=repo rev-parse main", scratch.Path).Ok().OutputLine;
        (ToolResult real, ToolResult ours) = Both($"rm $1/objects/{tree[..2]}/{tree[2..]}.dirtree", "prune");
        Assert.Equal($"error: No such metadata object {tree}.dirtree\n", real.Error);
        Assert.Equal($"error: In commit {commit}: No such metadata object {tree}.dirtree\n", ours.Error);
        Assert.Equal((1, 1), (real.ExitCode, ours.ExitCode));
    }

    private (ToolResult Real, ToolResult Ours) Both(string damage, string verb, params string[] words)
    {
        Tool.Shell($"rm -rf real ours; for name in real ours; do cp -a repo $name; set -- $name; {damage}; done", scratch.Path).Ok();
        return (Tool.Run("ostree", [verb, "--repo=" + scratch["real"], .. words]), OurProgram.Ostree([verb, "--repo=" + scratch["ours"], .. words]));
    }

    private string[] Objects(string repo) => Directory.EnumerateFiles(scratch[repo + "/objects"], "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(scratch[repo], path)).Order().ToArray();
}
