namespace OciOstree.Repository.Tests;

/// <summary>An exported commit is the tree that was committed.</summary>
public class TarExportTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("--prefix=base/ ", "")]
    [InlineData("", "/deep/level0")]
    public void An_archive_unpacks_to_what_ostree_s_unpacks_to(string prefix, string subpath)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = Commit(scratch, RepoMode.Archive);
        Tool.Run("ostree", ["export", "--repo=" + scratch["repo"], "-o", scratch["theirs.tar"], .. prefix.Length == 0 ? (string[])[] : [prefix.Trim()],
            .. subpath.Length == 0 ? (string[])[] : ["--subpath=" + subpath], "test"]).Ok();
        Export(scratch, repo, new TarExportOptions { PathPrefix = prefix.Length == 0 ? "" : "base/", Subpath = subpath });
        foreach (string side in (string[])["theirs", "ours"])
        {
            scratch.MakeDirectory(side);
            Tool.Run("tar", "-C", scratch[side], "-xpf", scratch[side + ".tar"]).Ok();
        }
        // ostree's archives carry no xattrs, and its older versions' no hard links.
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["ours"], SnapshotDetails.Owners | SnapshotDetails.FileTimes);
    }

    [Fact]
    public void An_archive_committed_again_is_the_same_tree()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = Commit(scratch, RepoMode.Bare);
        Export(scratch, repo, new TarExportOptions());
        Checksum before = repo.ReadCommit(repo.ResolveRequired("test")).RootTree;
        Assert.Equal(before, repo.ReadCommit(OurCommit.Tar(repo, scratch["ours.tar"])).RootTree);
    }

    [Fact]
    public void Without_xattrs_there_are_none()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = Commit(scratch, RepoMode.Archive);
        Export(scratch, repo, new TarExportOptions { SkipXattrs = true });
        Tool.Run("mkdir", scratch["out"]).Ok();
        Tool.Run("tar", "--xattrs", "--xattrs-include=*", "-C", scratch["out"], "-xpf", scratch["ours.tar"]).Ok();
        Tool.Shell("find . -exec setfattr -h -x user.none {} \\; 2>/dev/null; for f in $(find xattrs | grep -v link); do getfattr -m- $f; done >../found", scratch["out"]).Ok();
        Assert.Equal("", File.ReadAllText(scratch["found"]));
        Assert.Equal(TreeSnapshot.Of(scratch["tree"], SnapshotDetails.Owners), TreeSnapshot.Of(scratch["out"], SnapshotDetails.Owners));
    }

    private static Repo Commit(ScratchDirectory scratch, RepoMode mode)
    {
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 41, new TreeShape { EmptyXattrs = false });
        // libarchive, which ostree uses, composes these names (e and an accent become é).
        Tool.Shell("rm -r names/*combining names/directories/*combining", tree).Ok();
        Repo repo = Repo.Create(scratch["repo"], mode);
        OurCommit.Directory(repo, tree);
        return repo;
    }

    private static void Export(ScratchDirectory scratch, Repo repo, TarExportOptions options)
    {
        using FileStream output = File.Create(scratch["ours.tar"]);
        TarExport.Run(repo, repo.ResolveRequired("test"), output, options);
    }
}
