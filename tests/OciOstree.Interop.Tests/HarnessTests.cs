namespace OciOstree.Interop.Tests;

/// <summary>What the other tests stand on: the generated trees are the same each time, and differences between trees are seen.</summary>
public class HarnessTests
{
    [Fact]
    public void The_same_seed_makes_the_same_tree_and_another_one_does_not()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["one"], seed: 7);
        TreeBuilder.Build(scratch["two"], seed: 7);
        TreeBuilder.Build(scratch["other"], seed: 8);
        TreeSnapshot.AssertEqual(scratch["one"], scratch["two"], SnapshotDetails.Default | SnapshotDetails.LinkCounts);
        Assert.Throws<ToolException>(() => TreeSnapshot.AssertEqual(scratch["one"], scratch["other"]));
    }

    [Theory]
    [InlineData("chmod 0600 x")]
    [InlineData("chown 5:6 x")]
    [InlineData("setfattr -n user.a -v b x")]
    [InlineData("echo other >x")]
    [InlineData("rm x")]
    [InlineData("touch y")]
    [InlineData("rm x; ln -s target x")]
    public void A_difference_between_trees_is_seen(string change)
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("one/x", "same\n");
        Tool.Run("cp", "-a", scratch["one"], scratch["two"]).Ok();
        TreeSnapshot.AssertEqual(scratch["one"], scratch["two"]);
        Tool.Shell(change, scratch["two"]).Ok();
        Assert.Throws<ToolException>(() => TreeSnapshot.AssertEqual(scratch["one"], scratch["two"]));
    }

    [Fact]
    public void A_tree_is_what_the_real_ostree_can_commit_and_check_out()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree"], shape: new TreeShape { EmptyXattrs = false });
        Tool.Run("ostree", "init", "--repo", scratch["repo"], "--mode=bare").Ok();
        Tool.Run("ostree", "commit", "--repo", scratch["repo"], "-b", "test", "--tree=dir=" + scratch["tree"]).Ok();
        Tool.Run("ostree", "checkout", "--repo", scratch["repo"], "test", scratch["checkout"]).Ok();
        TreeSnapshot.AssertEqual(scratch["tree"], scratch["checkout"]);
    }

    [Fact]
    public void A_missing_program_fails_the_test() =>
        Assert.Throws<ToolException>(() => Tool.Run("no-such-program-as-this"));

    [Fact]
    public void A_program_that_hangs_is_ended()
    {
        ToolException e = Assert.Throws<ToolException>(() => Tool.Run(new ToolStart("sleep") { Timeout = TimeSpan.FromMilliseconds(200) }, "60"));
        Assert.Contains("sleep 60", e.Message);
    }
}
