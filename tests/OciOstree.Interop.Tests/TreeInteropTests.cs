namespace OciOstree.Interop.Tests;

/// <summary>Called as <c>ostree</c>, our executable says and makes the same as the real one, for generated trees, both ways.</summary>
public class TreeInteropTests
{
    private const string Timestamp = "--timestamp=2024-01-02 03:04:05 +0000";

    public static TheoryData<string, int, string> Commits()
    {
        var data = new TheoryData<string, int, string>();
        string[] options =
        [
            "", "--owner-uid=0 --owner-gid=0", "--canonical-permissions", "--no-xattrs", "--mode-ro-executables --no-bindings",
            "-s Subject -m Body --add-metadata-string=version=1.2 --add-metadata=n=[uint32\u00a01,2]", "--orphan --bind-ref=other/branch", "--parent=none --add-detached-metadata-string=a=b",
        ];
        int seed = 100;
        foreach (string mode in (string[])["bare", "bare-user", "bare-user-only", "archive"])
        {
            for (int i = 0; i < options.Length; i += 2)
                data.Add(mode, seed++, options[(i + seed) % options.Length]);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Commits))]
    public void Both_commit_list_and_check_out_alike(string mode, int seed, string options)
    {
        using var scratch = new ScratchDirectory();
        string tree = TreeBuilder.Build(scratch["tree"], seed, new TreeShape { RandomFiles = 30, LargeFiles = false });
        Tool.Run("ostree", "init", "--repo=" + scratch["theirs"], "--mode=" + mode).Ok();
        OurProgram.Ostree("init", "--repo=" + scratch["ours"], "--mode=" + mode).Ok();
        string[] arguments = ["commit", "--branch=test", Timestamp, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Replace('\u00a0', ' ')), "--tree=dir=" + tree];
        string commit = Tool.Run("ostree", [.. arguments, "--repo=" + scratch["theirs"]]).Ok().OutputLine;
        Assert.Equal(commit, OurProgram.Ostree([.. arguments, "--repo=" + scratch["ours"]]).Ok().OutputLine);
        Tool.Run("ostree", "fsck", "-q", "--repo=" + scratch["ours"]).Ok();
        OurProgram.Ostree("fsck", "-q", "--repo=" + scratch["theirs"]).Ok();

        AssertSame(scratch, "ls", "-R", "-C", "-X", commit);
        AssertSame(scratch, "show", commit);
        // Each program on the repository that the other one wrote.
        string[] userMode = mode is "bare-user" or "bare-user-only" ? ["-U"] : [];
        Tool.Run("ostree", ["checkout", .. userMode, "--repo=" + scratch["ours"], commit, scratch["by-theirs"]]).Ok();
        OurProgram.Ostree(["checkout", .. userMode, "--repo=" + scratch["theirs"], commit, scratch["by-ours"]]).Ok();
        TreeSnapshot.AssertEqual(scratch["by-theirs"], scratch["by-ours"], SnapshotDetails.Default | SnapshotDetails.LinkCounts);
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("archive")]
    public void Trees_of_all_kinds_are_overlaid_alike(string mode)
    {
        using var scratch = new ScratchDirectory();
        string tree = TreeBuilder.Build(scratch["tree"], 7, new TreeShape { RandomFiles = 10, LargeFiles = false });
        scratch.Write("more/names/plain", "replaced");
        scratch.Write("more/names/added", "added");
        Tool.Shell("tar -C more -czf more.tar.gz .", scratch.Path).Ok();
        string Commit(Func<string[], ToolResult> program, string repo)
        {
            program(["init", "--repo=" + repo, "--mode=" + mode]).Ok();
            program(["commit", "--repo=" + repo, "-b", "base", Timestamp, "--tree=dir=" + tree]).Ok();
            program(["commit", "--repo=" + repo, "-b", "top", Timestamp, "--owner-uid=5", "--tree=ref=base", "--tree=tar=" + scratch["more.tar.gz"], "--tree=dir=" + scratch["more"]]).Ok();
            return program(["commit", "--repo=" + repo, "-b", "top", Timestamp, "--base=base", "--tree=dir=" + scratch["more"]]).Ok().OutputLine;
        }
        Assert.Equal(Commit(arguments => Tool.Run("ostree", arguments), scratch["theirs"]), Commit(OurProgram.Ostree, scratch["ours"]));
        AssertSame(scratch, "log", "top");
    }

    [Fact]
    public void An_unchanged_tree_is_not_committed_again_if_so_asked()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", "x");
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=archive").Ok();
        string[] commit = ["commit", "--repo=" + scratch["repo"], "-b", "test", "--skip-if-unchanged", "--tree=dir=" + scratch["tree"]];
        string first = OurProgram.Ostree(commit).Ok().OutputLine;
        Assert.Equal(first, OurProgram.Ostree(commit).Ok().OutputLine);
        File.AppendAllText(scratch["tree/file"], "y");
        Assert.NotEqual(first, OurProgram.Ostree(commit).Ok().OutputLine);
    }

    [Fact]
    public void What_is_consumed_is_gone()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree"], 8, new TreeShape { RandomFiles = 10, LargeFiles = false });
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        OurProgram.Ostree("commit", "--repo=" + scratch["repo"], "-b", "test", "--consume", "--tree=dir=" + scratch["tree"]).Ok();
        Assert.False(Directory.Exists(scratch["tree"]));
        Tool.Run("ostree", "fsck", "-q", "--repo=" + scratch["repo"]).Ok();
    }

    private static void AssertSame(ScratchDirectory scratch, string verb, params string[] arguments) => Assert.Equal(
        Tool.Run("ostree", [verb, "--repo=" + scratch["theirs"], .. arguments]).Ok().Output,
        OurProgram.Ostree([verb, "--repo=" + scratch["ours"], .. arguments]).Ok().Output);
}
