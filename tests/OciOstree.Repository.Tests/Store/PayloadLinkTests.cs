using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Where the file system can, files of equal content share it; both programs find by the same links what the other has stored.</summary>
public sealed class PayloadLinkTests
{
    private const string Init = "ostree init --mode={0} --repo={1}; ostree config --repo={1} set core.payload-link-threshold {2}; ostree config --repo={1} set core.fsync false";

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    public void Links_are_those_that_the_real_ostree_makes(RepoMode mode) => XfsVolume.Run(scratch =>
    {
        string ours = scratch["mounted/ours"], theirs = scratch["mounted/theirs"];
        foreach (string place in (string[])[ours, theirs])
            Tool.Shell(string.Format(null, Init, mode.ConfigWord(), place, 5000)).Ok();
        // Of each content one that is read whole and one that is read in parts; the second time as another object.
        foreach (string permissions in (string[])["644", "755"])
        {
            foreach ((string name, int size) in (ReadOnlySpan<(string, int)>)[("empty", 0), ("below", 4999), ("at", 5000), ("large", 300_000)])
            {
                byte[] content = new byte[size];
                new Random(size).NextBytes(content);
                Directory.CreateDirectory(scratch["mounted/tree"]);
                File.WriteAllBytes(scratch["mounted/tree/" + name], content);
                Tool.Run("chmod", permissions, scratch["mounted/tree/" + name]).Ok();
            }
            using Repo repo = Repo.Open(ours);
            Checksum commit = OurCommit.Directory(repo, scratch["mounted/tree"]);
            Assert.Equal(commit, RealOstree.Commit(theirs, scratch["mounted/tree"]));
            Assert.Equal(Links(theirs), Links(ours));
            Assert.Equal(2, Links(ours).Count);
        }
        Assert.Equal(4, SharedFiles(ours));   // each of two contents twice
        Assert.Equal(SharedFiles(theirs), SharedFiles(ours));
        RealOstree.Fsck(ours);
    });

    [Fact]
    public void What_is_pulled_as_a_hard_link_can_be_shared_as_well() => XfsVolume.Run(scratch =>
    {
        string source = scratch["mounted/source"], target = scratch["mounted/target"];
        Tool.Shell(string.Format(null, Init, "bare", source, "99999999999999999999") + ";" + string.Format(null, Init, "bare", target, 100)).Ok();
        File.WriteAllBytes(Directory.CreateDirectory(scratch["mounted/tree"]) + "/file", new byte[4096]);
        Checksum commit = RealOstree.Commit(source, scratch["mounted/tree"]);
        using Repo from = Repo.Open(source), to = Repo.Open(target);
        using (RepoTransaction transaction = to.BeginTransaction())
        {
            foreach (ObjectName name in from.Traverse(commit))
                transaction.ImportObject(from, name, verify: true);
            transaction.Commit();
        }
        Assert.Single(Links(target));
        Assert.Empty(Links(source));

        // A link that leads nowhere is of no use, and one whose file is damaged of less.
        string file = Directory.GetFiles(target + "/objects", "*.file", SearchOption.AllDirectories).Single();
        File.Delete(file);
        File.WriteAllBytes(file, [.. new byte[4095], 1]);
        Tool.Run("chmod", "755", scratch["mounted/tree/file"]).Ok();
        Checksum second = OurCommit.Directory(to, scratch["mounted/tree"]);
        Assert.Equal(second, RealOstree.Commit(source, scratch["mounted/tree"]));
        Assert.Equal(0, SharedFiles(target));
        File.Delete(file);
        Tool.Run("chmod", "700", scratch["mounted/tree/file"]).Ok();
        OurCommit.Directory(to, scratch["mounted/tree"]);
        Assert.NotEqual(Path.GetFileName(file), Path.GetFileName(Assert.Single(Links(target)).Split(' ')[1]));
    });

    [Fact]
    public void A_prune_leaves_the_links_that_are_of_use() => XfsVolume.Run(scratch =>
    {
        string place = scratch["mounted/repo"];
        Tool.Shell(string.Format(null, Init, "bare", place, 1)).Ok();
        File.WriteAllText(Directory.CreateDirectory(scratch["mounted/tree"]) + "/file", "first content");
        using Repo repo = Repo.Open(place);
        OurCommit.Directory(repo, scratch["mounted/tree"]);
        string first = Assert.Single(Links(place));
        File.WriteAllText(scratch["mounted/tree/file"], "second");
        OurCommit.Directory(repo, scratch["mounted/tree"]);
        Assert.Equal(2, Links(place).Count);
        repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 });
        Assert.NotEqual(first, Assert.Single(Links(place)));
        Tool.Run("ostree", "config", "--repo=" + place, "set", "core.payload-link-threshold", "7").Ok();
        repo.ReloadConfig();
        repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 });
        Assert.Empty(Links(place));
    });

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    public void A_copy_shares_its_blocks_with_the_object_and_the_object_with_what_was_committed(RepoMode mode) => XfsVolume.Run(scratch =>
    {
        File.WriteAllBytes(Directory.CreateDirectory(scratch["mounted/tree"]) + "/file", new byte[200_000]);
        using Repo repo = Repo.Create(scratch["mounted/repo"], mode);
        Checksum commit = OurCommit.Directory(repo, scratch["mounted/tree"]);
        Assert.Equal(1, SharedFiles(repo.Path));
        using (LinuxDirectory directory = LinuxDirectory.Open(scratch["mounted"]))
            Checkout.Run(repo, commit, directory, "copy", new CheckoutOptions { ForceCopy = true });
        Assert.True(XfsVolume.IsShared(scratch["mounted/copy/file"]));
        Assert.Equal(new byte[200_000], File.ReadAllBytes(scratch["mounted/copy/file"]));
    });

    private static List<string> Links(string repo) =>
        [.. Directory.GetFiles(repo + "/objects", "*.payload-link", SearchOption.AllDirectories).Select(link => $"{Path.GetRelativePath(repo, link)} {new FileInfo(link).LinkTarget}").Order()];

    private static int SharedFiles(string repo) => Directory.GetFiles(repo + "/objects", "*.file", SearchOption.AllDirectories).Count(XfsVolume.IsShared);
}
