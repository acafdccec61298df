namespace OciOstree.Repository.Tests;

/// <summary>The same directory and options give the same commit as the real ostree, in every mode.</summary>
public class DirectoryCommitTests
{
    [Theory]
    [InlineData(RepoMode.Bare, 1)]
    [InlineData(RepoMode.BareUser, 2)]
    [InlineData(RepoMode.BareUserOnly, 3)]
    [InlineData(RepoMode.Archive, 4)]
    [InlineData(RepoMode.Archive, 5)]
    public void A_directory_gets_the_checksum_that_ostree_gives_it(RepoMode mode, int seed)
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], seed);
        RealOstree.Init(scratch["theirs"], mode);
        Checksum expected = RealOstree.Commit(scratch["theirs"], "--tree=dir=" + tree);

        using Repo repo = Repo.Create(scratch["ours"], mode);
        RealOstree.AssertSameCommit(scratch["theirs"], expected, scratch["ours"], OurCommit.Directory(repo, tree));
        RealOstree.Fsck(scratch["ours"]);
        AssertSameObjects(scratch["theirs"], scratch["ours"]);
    }

    [Theory]
    [InlineData("--owner-uid=7")]
    [InlineData("--owner-gid=0")]
    [InlineData("--owner-uid=1 --owner-gid=2")]
    [InlineData("--canonical-permissions")]
    [InlineData("--no-xattrs")]
    [InlineData("--mode-ro-executables")]
    [InlineData("--owner-uid=5 --mode-ro-executables --no-xattrs")]
    public void Modifiers_change_a_commit_as_ostree_s_options_do(string options)
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 11);
        RealOstree.Init(scratch["theirs"], RepoMode.Archive);
        Checksum expected = RealOstree.Commit(scratch["theirs"], [.. options.Split(' '), "--tree=dir=" + tree]);

        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        RealOstree.AssertSameCommit(scratch["theirs"], expected, scratch["ours"], OurCommit.Directory(repo, tree, Modifier(options)));
    }

    [Fact]
    public void Modes_are_overridden_and_paths_skipped_as_in_ostree()
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 12);
        string overrides = scratch.Write("overrides", "2048 /names/plain\n=420 /modes/f7777\n1024 /\n64 /empty-directory\n=448 /deep\n=1 /no/such/path\n\n4 /links/link-0\n");
        string skips = scratch.Write("skips", "/names/a\n/wide\n/links/link-1\n");
        RealOstree.Init(scratch["theirs"], RepoMode.Bare);
        Checksum expected = RealOstree.Commit(scratch["theirs"], "--statoverride=" + overrides, "--skip-list=" + skips, "--tree=dir=" + tree);

        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Bare);
        var modifier = new CommitModifier
        {
            StatOverrides = StatOverride.ParseFile(File.ReadAllText(overrides)),
            SkipList = File.ReadAllText(skips).Split('\n', StringSplitOptions.RemoveEmptyEntries),
        };
        RealOstree.AssertSameCommit(scratch["theirs"], expected, scratch["ours"], OurCommit.Directory(repo, tree, modifier));
        Assert.Empty(modifier.UnmatchedSkips);
        Assert.Empty(modifier.UnmatchedStatOverrides);
    }

    [Fact]
    public void What_was_not_found_is_known()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", "x");
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Bare);
        var modifier = new CommitModifier { StatOverrides = StatOverride.ParseFile("16 /other\n16 /file"), SkipList = ["/nothing"] };
        OurCommit.Directory(repo, scratch["tree"], modifier);
        Assert.Equal(["/nothing"], modifier.UnmatchedSkips);
        Assert.Equal(["/other"], modifier.UnmatchedStatOverrides);
    }

    [Theory]
    [InlineData(RepoMode.Bare, false)]
    [InlineData(RepoMode.BareUser, true)]
    [InlineData(RepoMode.BareUserOnly, true)]
    public void A_checkout_is_committed_again_without_reading_what_did_not_change(RepoMode mode, bool userMode)
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 13);
        using Repo repo = Repo.Create(scratch["ours"], mode);
        OurCommit.Directory(repo, tree);
        string[] mode_ = userMode ? ["-U", "-H"] : ["-H"];
        RealOstree.Checkout(scratch["ours"], scratch["checkout"], mode_).Ok();
        Tool.Shell("rm names/plain; echo new >names/plain; echo added >names/added; rm -r wide; chmod 0750 deep", scratch["checkout"]).Ok();

        Tool.Run("cp", "-a", scratch["ours"], scratch["theirs"]).Ok();
        DevInoCache cache = DevInoCache.Scan(repo);
        TreeWriter? writer = null;
        Checksum ours = OurCommit.Run(repo, new CommitModifier { DevInoCache = cache }, added =>
        {
            writer = added;
            using var directory = Linux.LinuxDirectory.Open(scratch["checkout"]);
            added.AddDirectory(directory);
        });
        // The copy of the repository has other inodes, so it is the repository itself that the real one looks at.
        Checksum theirs = RealOstree.Commit(scratch["ours"], "--link-checkout-speedup", "--tree=dir=" + scratch["checkout"]);
        Assert.Equal(theirs, ours);
        Assert.True(writer!.CacheHits > 50, $"{writer.CacheHits} hits");
    }

    [Fact]
    public void A_cancelled_commit_changes_nothing()
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 17);
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Bare);
        using var cancelled = new CancellationTokenSource();
        // In the middle: from a thread that commits a file.
        var modifier = new CommitModifier
        {
            XattrFilter = (path, _, xattrs) =>
        {
            if (path == "/wide/file99")
                cancelled.Cancel();
            return xattrs;
        }
        };
        using (RepoTransaction transaction = repo.BeginTransaction())
        using (var directory = Linux.LinuxDirectory.Open(tree))
            Assert.ThrowsAny<OperationCanceledException>(() => new TreeWriter(transaction, new MutableTree(), modifier, cancelled.Token).AddDirectory(directory));
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void Consuming_leaves_nothing_behind()
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 14);
        Tool.Run("cp", "-a", tree, scratch["copy"]).Ok();
        RealOstree.Init(scratch["theirs"], RepoMode.Bare);
        Checksum expected = RealOstree.Commit(scratch["theirs"], "--skip-list=" + scratch.Write("skips", "/deep\n"), "--tree=dir=" + tree);
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Bare);
        Assert.Equal(expected, OurCommit.Directory(repo, scratch["copy"], new CommitModifier { Consume = true, SkipList = ["/deep"] }));
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(scratch["copy"]));
        RealOstree.Fsck(scratch["ours"]);
    }

    [Fact]
    public void Trees_are_laid_over_each_other()
    {
        using var scratch = new ScratchDirectory();
        string one = Testing.TreeBuilder.Build(scratch["one"], 15), two = Testing.TreeBuilder.Build(scratch["two"], 16, new TreeShape { RandomFiles = 0, LargeFiles = false });
        RealOstree.Init(scratch["theirs"], RepoMode.Archive);
        Checksum first = RealOstree.Commit(scratch["theirs"], "--tree=dir=" + one);
        Checksum expected = RealOstree.Commit(scratch["theirs"], "--tree=ref=" + first, "--tree=dir=" + two);
        Checksum onBase = RealOstree.Commit(scratch["theirs"], "--base=" + first, "--tree=dir=" + two);
        Checksum changed = RealOstree.Commit(scratch["theirs"], "--owner-uid=3", "--tree=ref=" + first);

        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        Checksum ours = OurCommit.Directory(repo, one);
        Assert.Equal(first, ours);
        void AddTwo(TreeWriter writer)
        {
            using var directory = Linux.LinuxDirectory.Open(two);
            writer.AddDirectory(directory);
        }

        Assert.Equal(expected, OurCommit.Run(repo, null, writer =>
        {
            writer.AddCommit(ours);
            AddTwo(writer);
        }));
        Assert.Equal(onBase, OurCommit.Run(repo, null, AddTwo, baseCommit: ours));
        Assert.Equal(changed, OurCommit.Run(repo, new CommitModifier { OwnerUid = 3 }, writer => writer.AddCommit(ours)));
    }

    [Theory]
    [InlineData("mkfifo f", "Not a regular file or symlink: /f")]
    [InlineData("touch $'bad\\xff'", "Invalid UTF-8 in filename")]
    [InlineData("mkdir $'bad\\xff'", "Invalid UTF-8 in filename")]
    [InlineData("ln -s $'bad\\xff' link", "Invalid UTF-8 in target of symlink '/link'")]
    public void What_a_commit_cannot_hold_is_refused_and_nothing_changes(string make, string message)
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("tree");
        Tool.Shell(make, scratch["tree"]).Ok();
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => OurCommit.Directory(repo, scratch["tree"]));
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
        Assert.Empty(repo.ListObjects());
        Assert.Empty(repo.ListRefs(null));
    }

    private static CommitModifier Modifier(string options)
    {
        uint? Number(string option) => options.Split(' ').FirstOrDefault(word => word.StartsWith(option + "=", StringComparison.Ordinal)) is { } word ? uint.Parse(word.Split('=')[1]) : null;
        return new CommitModifier
        {
            OwnerUid = Number("--owner-uid"),
            OwnerGid = Number("--owner-gid"),
            CanonicalPermissions = options.Contains("--canonical-permissions", StringComparison.Ordinal),
            SkipXattrs = options.Contains("--no-xattrs", StringComparison.Ordinal),
            ReadOnlyExecutables = options.Contains("--mode-ro-executables", StringComparison.Ordinal),
        };
    }

    private static void AssertSameObjects(string theirs, string ours)
    {
        string[] List(string repo) => Tool.Shell("cd objects; find . -type f -o -type l | sort", repo).Ok().OutputLines;
        Assert.Equal(List(theirs), List(ours));
    }
}
