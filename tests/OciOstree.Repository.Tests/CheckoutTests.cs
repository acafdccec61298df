using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>A checkout is path by path what the real ostree makes of the same commit.</summary>
public class CheckoutTests
{
    // Link counts show whether hard links were made where ostree makes them; both checkouts are looked at while only one exists.
    private const SnapshotDetails Details = SnapshotDetails.Owners | SnapshotDetails.Xattrs | SnapshotDetails.LinkCounts;

    [Theory]
    [InlineData(RepoMode.Bare, "")]
    [InlineData(RepoMode.Bare, "-U")]
    [InlineData(RepoMode.Bare, "-H")]
    [InlineData(RepoMode.Bare, "-C")]
    [InlineData(RepoMode.Bare, "-M -C")]
    [InlineData(RepoMode.BareUser, "")]
    [InlineData(RepoMode.BareUser, "-U")]
    [InlineData(RepoMode.BareUser, "-U -H")]
    [InlineData(RepoMode.BareUser, "-U -C")]
    [InlineData(RepoMode.BareUserOnly, "")]
    [InlineData(RepoMode.BareUserOnly, "-U -H")]
    [InlineData(RepoMode.BareUserOnly, "-C")]
    [InlineData(RepoMode.Archive, "")]
    [InlineData(RepoMode.Archive, "-U --disable-cache")]
    [InlineData(RepoMode.Archive, "-U -M --disable-cache")]
    [InlineData(RepoMode.Archive, "-U")]
    public void A_checkout_is_as_ostree_makes_it(RepoMode mode, string flags)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, mode, 21);
        RealOstree.Checkout(scratch["repo"], scratch["out"], Split(flags)).Ok();
        string[] expected = TreeSnapshot.Of(scratch["out"], Details);
        string[] zeroed = ZeroTimes(scratch["out"]);
        Tool.Run("rm", "-rf", scratch["out"]).Ok();

        Run(scratch, repo, Options(flags));
        Assert.Equal(expected, TreeSnapshot.Of(scratch["out"], Details));
        Assert.Equal(zeroed, ZeroTimes(scratch["out"]));
    }

    [Fact]
    public void Users_checkouts_of_an_archive_share_uncompressed_files()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Archive, 20);
        var options = new CheckoutOptions { UserMode = true, UncompressedCache = true };
        Run(scratch, repo, options, "one");
        Run(scratch, repo, options, "two");
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(scratch["repo/tmp"], "uncompressed*"));
        string[] inodes = Tool.Run("stat", "-c", "%i %h", scratch["one/names/plain"], scratch["two/names/plain"]).Ok().OutputLines;
        Assert.Equal(inodes[0], inodes[1]);
        // What the real one has cached is used as well.
        string cache = scratch["repo/uncompressed-objects-cache"];
        string[] ours = TreeSnapshot.Of(cache, SnapshotDetails.Owners);
        Tool.Run("rm", "-r", scratch["one"], scratch["two"], cache).Ok();
        RealOstree.Checkout(scratch["repo"], scratch["one"], "-U").Ok();
        Assert.Equal(TreeSnapshot.Of(cache, SnapshotDetails.Owners), ours);
        Run(scratch, repo, options, "two");
        TreeSnapshot.AssertEqual(scratch["one"], scratch["two"], SnapshotDetails.Default | SnapshotDetails.LinkCounts);
        repo.Config.SetBoolean("core", "enable-uncompressed-cache", false);
        Tool.Run("rm", "-r", cache).Ok();
        Run(scratch, repo, options, "three");
        Assert.False(System.IO.Directory.Exists(cache));
    }

    [Fact]
    public void A_committed_tree_comes_back_as_it_was()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Archive, 22, new TreeShape { EmptyXattrs = false });
        Run(scratch, repo, new CheckoutOptions());
        TreeSnapshot.AssertEqual(scratch["tree"], scratch["out"]);
    }

    [Theory]
    [InlineData(RepoMode.Bare, "--union")]
    [InlineData(RepoMode.Bare, "--union-add")]
    [InlineData(RepoMode.Bare, "--union -C")]
    [InlineData(RepoMode.Bare, "--union-add -C")]
    [InlineData(RepoMode.Archive, "--union --disable-cache")]
    [InlineData(RepoMode.Archive, "--union-add --disable-cache")]
    [InlineData(RepoMode.BareUser, "-U --union")]
    public void A_checkout_over_another_keeps_what_ostree_keeps(RepoMode mode, string flags)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, mode, 23);
        foreach (string destination in (string[])["theirs", "ours"])
        {
            scratch.MakeDirectory(destination + "/names/directories/a");
            scratch.Write(destination + "/names/plain", "another");
            scratch.Write(destination + "/names/surplus", "stays");
            scratch.Write(destination + "/wide/file7", "another");
            scratch.Write(destination + "/links/link-0", "a file where a link comes");
            Tool.Shell("chmod 0711 names; chown 3:4 wide; ln -s elsewhere sizes-link", scratch[destination]).Ok();
        }
        RealOstree.Checkout(scratch["repo"], scratch["theirs"], Split(flags)).Ok();
        // ostree forgets the owner and the xattrs of a link that replaces something: that one is left out.
        Run(scratch, repo, Options(flags), "ours");
        Tool.Run("rm", scratch["theirs/links/link-0"], scratch["ours/links/link-0"]).Ok();
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["ours"]);
    }

    [Theory]
    [InlineData(OverwriteMode.None)]
    [InlineData(OverwriteMode.UnionIdentical)]
    public void What_must_not_be_overwritten_is_not(OverwriteMode overwrite)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 24);
        var options = new CheckoutOptions { Overwrite = overwrite, RequireHardLinks = true };
        Run(scratch, repo, options);
        if (overwrite == OverwriteMode.UnionIdentical)
        {
            // Once more over the same, and over a copy that is no link.
            Run(scratch, repo, options);
            Tool.Shell("cp -a names/plain copy; mv copy names/plain", scratch["out"]).Ok();
            Run(scratch, repo, options);
        }
        Tool.Shell("rm names/plain; echo other >names/plain", scratch["out"]).Ok();
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => Run(scratch, repo, options));
        Assert.Contains("File exists", e.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal("other\n", File.ReadAllText(scratch["out/names/plain"]));
    }

    [Fact]
    public void Whiteouts_remove_and_do_not_appear()
    {
        using var scratch = new ScratchDirectory();
        foreach (string file in (string[])["lower/a/keep", "lower/a/gone", "lower/b/old", "lower/c/sub/deep", "lower/e/file"])
            scratch.Write(file, file);
        scratch.Write("upper/a/.wh.gone", "");
        scratch.Write("upper/b/.wh..wh..opq", "");
        scratch.Write("upper/b/new", "new");
        scratch.Write("upper/.wh.c", "");
        scratch.Write("upper/c/again", "made anew");
        scratch.Write("upper/e", "now a file");
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Bare);
        Checksum lower = OurCommit.Directory(repo, scratch["lower"]), upper = OurCommit.Directory(repo, scratch["upper"]);
        var options = new CheckoutOptions { Overwrite = OverwriteMode.Union, Whiteouts = true };
        using (LinuxDirectory parent = LinuxDirectory.Open(scratch.Path))
        {
            foreach (Checksum commit in (Checksum[])[lower, upper])
                Checkout.Run(repo, commit, parent, "ours", options);
        }
        foreach (Checksum commit in (Checksum[])[lower, upper])
            Tool.Run("ostree", "checkout", "--repo=" + scratch["repo"], "--union", "--whiteouts", commit.ToString(), scratch["theirs"]).Ok();
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["ours"]);

        // The union in memory is the same tree.
        MutableTree merged = MutableTree.FromCommit(repo, lower);
        Commit top = repo.ReadCommit(upper);
        merged.Overlay(repo, top.RootTree, top.RootMeta, new OverlayOptions { Whiteouts = true, ReplaceOtherTypes = true, KeepDirectoryMetadata = true });
        Checksum inMemory;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            Checksum tree = merged.Write(transaction);
            inMemory = transaction.WriteCommit(new Commit { RootTree = tree, RootMeta = merged.Metadata!.Value });
            transaction.Commit();
        }
        using (LinuxDirectory parent = LinuxDirectory.Open(scratch.Path))
            Checkout.Run(repo, inMemory, parent, "merged");
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["merged"]);
    }

    [Fact]
    public void With_whiteouts_a_directory_replaces_a_file()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("lower/d", "a file");
        scratch.Write("upper/d/file", "in a directory");
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Bare);
        using LinuxDirectory parent = LinuxDirectory.Open(scratch.Path);
        foreach (string tree in (string[])["lower", "upper"])
            Checkout.Run(repo, OurCommit.Directory(repo, scratch[tree]), parent, "out", new CheckoutOptions { Overwrite = OverwriteMode.Union, Whiteouts = true });
        TreeSnapshot.AssertEqual(scratch["upper"], scratch["out"]);
    }

    [Fact]
    public void Quoted_whiteouts_become_devices()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/dir/.ostree-wh.hidden", "");
        Tool.Shell("chmod 0640 dir/.ostree-wh.hidden; chown 5:6 dir/.ostree-wh.hidden", scratch["tree"]).Ok();
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        OurCommit.Directory(repo, scratch["tree"]);
        Run(scratch, repo, new CheckoutOptions { PassthroughWhiteouts = true });
        Assert.Equal("character special file 0:0 640 5:6", Tool.Run("stat", "-c", "%F %t:%T %a %u:%g", scratch["out/dir/hidden"]).Ok().OutputLine);
    }

    [Theory]
    [InlineData("/deep/level0")]
    [InlineData("names/plain")]
    [InlineData("/xattrs/link")]
    public void A_part_of_a_commit_is_checked_out(string subpath)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 25);
        RealOstree.Checkout(scratch["repo"], scratch["theirs"], "--subpath=" + subpath).Ok();
        Run(scratch, repo, new CheckoutOptions { Subpath = subpath });
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["out"]);
    }

    [Fact]
    public void A_missing_part_is_an_error_unless_allowed()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 25);
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => Run(scratch, repo, new CheckoutOptions { Subpath = "/names/none/here" }));
        Assert.Equal("No such file or directory: /names/none", e.Message);
        Run(scratch, repo, new CheckoutOptions { Subpath = "/names/none/here", AllowMissing = true });
        Assert.False(System.IO.Directory.Exists(scratch["out"]));
    }

    [Fact]
    public void Filtered_paths_are_left_out()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 26);
        string skips = scratch.Write("skips", "/names/\n/wide/file3\n/links/link-2\n/deep\n");
        RealOstree.Checkout(scratch["repo"], scratch["theirs"], "--skip-list=" + skips).Ok();
        HashSet<string> skipped = [.. File.ReadAllLines(skips)];
        Run(scratch, repo, new CheckoutOptions { Filter = path => !skipped.Contains(path) });
        TreeSnapshot.AssertEqual(scratch["theirs"], scratch["out"]);
    }

    [Fact]
    public void A_checkout_tells_which_objects_it_linked()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 27);
        var cache = new DevInoCache();
        Run(scratch, repo, new CheckoutOptions { DevInoCache = cache });
        Tool.Shell("echo more >names/more", scratch["out"]).Ok();
        var writerHits = 0L;
        Checksum ours = OurCommit.Run(repo, new CommitModifier { DevInoCache = cache }, writer =>
        {
            using LinuxDirectory directory = LinuxDirectory.Open(scratch["out"]);
            writer.AddDirectory(directory);
            writerHits = writer.CacheHits;
        });
        Assert.Equal(RealOstree.Commit(scratch["repo"], "--tree=dir=" + scratch["out"]), ours);
        Assert.True(writerHits > 300, $"{writerHits} hits");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_another_file_system_what_is_there_is_replaced_by_copies(bool whiteouts)
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 29);
        PrivateMounts.Run(() =>
        {
            Mounts.Mount("tmpfs", scratch.MakeDirectory("out"), "tmpfs", data: "mode=755");
            var options = new CheckoutOptions { Overwrite = OverwriteMode.Union, Whiteouts = whiteouts };
            Run(scratch, repo, options);
            Tool.Shell("find . -type f -exec sh -c 'echo changed > \"$1\"' - {} ';'", scratch["out"]).Ok();
            Run(scratch, repo, options);
            TreeSnapshot.AssertEqual(scratch["tree"], scratch["out"], SnapshotDetails.Owners);
            options = options with { RequireHardLinks = true };
            Assert.ThrowsAny<RepositoryException>(() => Run(scratch, repo, options));
        });
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(scratch["repo/tmp"], "checkout-union*"));
    }

    [Fact]
    public void Labels_take_the_place_of_the_commit_s()
    {
        using var scratch = new ScratchDirectory();
        using Repo repo = CommitTree(scratch, RepoMode.Bare, 28);
        Run(scratch, repo, new CheckoutOptions { ForceCopy = true, Subpath = "/xattrs", Labeler = (path, mode) => $"label:{path}:{Convert.ToString(mode, 8)}" });
        string Label(string path) => Tool.Run("getfattr", "-h", "--only-values", "-n", "security.selinux", scratch["out/" + path]).Ok().Output;
        Assert.Matches("^label:/xattrs/label:100[0-7]{3}\0$", Label("label"));
        Assert.Equal("label:/xattrs/link:120777\0", Label("link"));
        Assert.Matches("^label:/xattrs/directory:4[0-7]{4}\0$", Label("directory"));
        Assert.Matches("^label:/xattrs:4[0-7]{4}\0$", Label("."));
    }

    [Fact]
    public void A_copy_shares_its_blocks_where_the_file_system_can()
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("xfs");
        Tool.Shell("truncate -s 400M image; mkfs.xfs -q -m reflink=1 image; mount -o loop image xfs", scratch.Path).Ok();
        try
        {
            scratch.MakeDirectory("xfs/tree");
            File.WriteAllBytes(scratch["xfs/tree/large"], new byte[32 << 20]);
            using Repo repo = Repo.Create(scratch["xfs/repo"], RepoMode.Bare);
            OurCommit.Directory(repo, scratch["xfs/tree"]);
            Run(scratch, repo, new CheckoutOptions { ForceCopy = true }, "xfs/out");
            Tool.Run("cmp", scratch["xfs/tree/large"], scratch["xfs/out/large"]).Ok();
            Assert.Equal("1", Tool.Run("stat", "-c", "%h", scratch["xfs/out/large"]).Ok().OutputLine);
            Assert.Contains("shared", Tool.Run("filefrag", "-v", scratch["xfs/out/large"]).Ok().Output, StringComparison.Ordinal);
        }
        finally
        {
            Tool.Run("umount", scratch["xfs"]).Ok();
        }
    }

    [Fact]
    public void A_damaged_object_is_not_served()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", new string('x', 5000));
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        OurCommit.Directory(repo, scratch["tree"]);
        scratch.Write("other/file", new string('y', 5000));
        using (Repo other = Repo.Create(scratch["other-repo"], RepoMode.Archive))
            OurCommit.Directory(other, scratch["other"]);
        Tool.Shell("cp other-repo/objects/*/*.filez $(ls repo/objects/*/*.filez)", scratch.Path).Ok();
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => Run(scratch, repo, new CheckoutOptions()));
        Assert.Contains("Corrupted file object", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(scratch["out/file"]));
    }

    [Fact]
    public void A_link_in_the_destination_does_not_lead_out_of_it()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/dir/file", "x");
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Bare);
        OurCommit.Directory(repo, scratch["tree"]);
        scratch.MakeDirectory("outside");
        scratch.MakeDirectory("out/outside");
        Tool.Shell("ln -s ../../../../outside dir", scratch["out"]).Ok();
        Run(scratch, repo, new CheckoutOptions { Overwrite = OverwriteMode.Union });
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(scratch["outside"]));
        Assert.True(File.Exists(scratch["out/outside/file"]));
    }

    private static Repo CommitTree(ScratchDirectory scratch, RepoMode mode, int seed, TreeShape? shape = null)
    {
        string tree = Testing.TreeBuilder.Build(scratch["tree"], seed, shape);
        Repo repo = Repo.Create(scratch["repo"], mode);
        OurCommit.Directory(repo, tree);
        return repo;
    }

    private static void Run(ScratchDirectory scratch, Repo repo, CheckoutOptions options, string name = "out")
    {
        using LinuxDirectory parent = LinuxDirectory.Open(scratch.Path);
        Checkout.Run(repo, repo.ResolveRequired("test"), parent, name, options);
    }

    private static string[] Split(string flags) => flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static CheckoutOptions Options(string flags)
    {
        string[] words = Split(flags);
        return new CheckoutOptions
        {
            UserMode = words.Contains("-U"),
            RequireHardLinks = words.Contains("-H"),
            ForceCopy = words.Contains("-C"),
            BareUserOnlyDirectories = words.Contains("-M"),
            UncompressedCache = flags == "-U",
            Overwrite = words.Contains("--union") ? OverwriteMode.Union : words.Contains("--union-add") ? OverwriteMode.UnionAdd : OverwriteMode.None,
        };
    }

    // Which directories have the time 0.
    private static string[] ZeroTimes(string path) =>
        [.. Tool.Run("find", path, "-type", "d", "!", "-newermt", "1970-01-02").Ok().OutputLines.Order(StringComparer.Ordinal)];
}
