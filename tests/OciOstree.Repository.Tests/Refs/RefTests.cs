namespace OciOstree.Repository.Tests;

public class RefTests
{
    private static readonly Checksum One = Checksum.Compute([1]), Two = Checksum.Compute([2]);

    private static void Set(Repo repo, Action<RepoTransaction> change)
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        change(transaction);
        transaction.Commit();
    }

    private static Checksum Commit(RepoTransaction transaction, ulong time, Checksum? parent = null) => transaction.WriteCommit(new Commit
    {
        Timestamp = time,
        Parent = parent,
        RootTree = transaction.WriteDirTree(DirTree.Empty),
        RootMeta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty)),
    });

    [Fact]
    public void Refs_are_set_listed_and_removed_as_the_real_program_sees_them()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        Checksum a = default, b = default;
        Set(repo, t =>
        {
            a = Commit(t, 1);
            b = Commit(t, 2, a);
            t.SetRef("plain", a);
            t.SetRef("deep/er/ref", b);
            t.SetRef("origin:deep/er", b);
            t.SetAlias("deep/alias", "plain");
        });
        Assert.Equal(["deep/alias", "deep/er/ref", "origin:deep/er", "plain"], repo.ListRefs().Keys);
        Assert.Equal(Ostree.Run(scratch["repo"], "refs").Ok().OutputLines.Order(StringComparer.Ordinal), repo.ListRefs().Keys);
        Assert.Equal(["deep/alias", "deep/er/ref"], repo.ListRefs("deep").Keys);
        Assert.Equal(["origin:deep/er"], repo.ListRefs("origin:").Keys);
        Assert.Equal(["origin:deep/er"], repo.ListRefs("origin:deep").Keys);
        Assert.Equal(["plain"], repo.ListRefs("plain").Keys);
        Assert.Empty(repo.ListRefs("nothing"));
        Assert.Equal(["deep/alias", "deep/er/ref", "plain"], repo.ListRefs(null, RefListing.ExcludeRemotes).Keys);
        Assert.Equal(new Dictionary<string, string> { ["deep/alias"] = "plain" }, repo.ListAliases());
        foreach (string spec in (string[])["plain", "deep/alias", "deep/er/ref", "origin:deep/er", "deep/er/ref^", a.ToString(), b.ToString()[..8], b + "^"])
            Assert.Equal(Ostree.Run(scratch["repo"], "rev-parse", spec).Ok().OutputLine, repo.ResolveRequired(spec).ToString());
        // The real program stops at the directory.
        Assert.Equal(b, repo.ResolveRef("deep/er"));
        Set(repo, t =>
        {
            t.SetRef("plain", null);
            t.SetRef("origin:deep/er", null);
            t.SetRef("never/was", null);
        });
        Assert.Null(repo.ResolveRef("origin:deep/er"));
        Assert.DoesNotContain("plain", repo.ListRefs().Keys);
        Assert.Contains("Refspec 'nothing' not found", Assert.ThrowsAny<RepositoryException>(() => repo.ResolveRequired("nothing")).Message);
        Assert.Contains("has no parent", Assert.ThrowsAny<RepositoryException>(() => repo.ResolveRequired(a + "^")).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("é")]
    [InlineData("re/mote:a")]
    [InlineData("a:b:c")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void A_name_that_could_leave_the_directory_of_refs_or_confuse_is_refused(string name)
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        using RepoTransaction transaction = repo.BeginTransaction();
        Assert.ThrowsAny<RepositoryException>(() => transaction.SetRef(name, One));
    }

    [Fact]
    public void A_ref_replaces_empty_directories_but_not_other_refs()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        Set(repo, t => t.SetRef("a/b/c", One));
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => Set(repo, t => t.SetRef("a/b", Two)));
        Assert.Equal("Conflict: c exists under a/b when attempting write", e.Message);
        Set(repo, t => t.SetRef("a/b/c", null));
        Set(repo, t => t.SetRef("a/b", Two));
        Assert.Equal(Two, repo.ResolveRef("a/b"));
        Assert.ThrowsAny<RepositoryException>(() => Set(repo, t => t.SetRef("a/b/c", One)));
        Assert.Equal(["a/b"], repo.ListRefs().Keys);
    }

    [Fact]
    public void Stray_files_are_no_refs_and_broken_ones_say_so()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        File.WriteAllText(scratch["repo/refs/heads/.rsync_info"], "x");
        Assert.Empty(repo.ListRefs());
        File.WriteAllText(scratch["repo/refs/heads/broken"], "not a checksum\n");
        Assert.Contains("refs/heads/broken", Assert.ThrowsAny<RepositoryException>(() => repo.ResolveRef("broken")).Message);
        File.WriteAllText(scratch["repo/refs/heads/broken"], new string('a', 100_000));
        Assert.ThrowsAny<RepositoryException>(() => repo.ListRefs());
    }

    [Fact]
    public void A_partial_checksum_must_be_unique()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        List<Checksum> commits = [];
        Set(repo, t => commits.AddRange(Enumerable.Range(0, 40).Select(i => Commit(t, (ulong)i))));
        char digit = commits.GroupBy(c => c.ToString()[0]).First(group => group.Count() > 1).Key;
        Assert.Equal($"Refspec {digit} not unique", Assert.ThrowsAny<RepositoryException>(() => repo.ResolveRef(digit.ToString())).Message);
        Assert.All(commits, commit => Assert.Equal(commit, repo.ResolveRef(commit.ToString()[..20])));
    }

    [Fact]
    public void A_ref_called_like_the_start_of_a_checksum_is_the_ref()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        Checksum one = default, two = default;
        Set(repo, t => (one, two) = (Commit(t, 1), Commit(t, 2)));
        Set(repo, t => t.SetRef(one.ToString()[..2], two));
        Assert.Equal(two, repo.ResolveRef(one.ToString()[..2]));
    }

    [Fact]
    public void Collections_have_their_own_refs_here_and_mirrored_ones()
    {
        using ScratchDirectory scratch = new();
        Repo.Create(scratch["repo"], RepoMode.Archive, "org.example.Here").Dispose();
        using Repo repo = Repo.Open(scratch["repo"]);
        Checksum commit = default;
        Set(repo, t =>
        {
            commit = Commit(t, 1);
            t.SetCollectionRef(new CollectionRef("org.example.Here", "own"), commit);
            t.SetCollectionRef(new CollectionRef("org.example.There", "mirrored/x"), commit);
        });
        Assert.Equal(commit, repo.ResolveRef("own"));
        Assert.Equal([new CollectionRef("org.example.Here", "own"), new CollectionRef("org.example.There", "mirrored/x")], repo.ListCollectionRefs().Keys.OrderBy(r => r.CollectionId));
        Assert.Equal(["(org.example.Here, own)", "(org.example.There, mirrored/x)"], Ostree.Run(scratch["repo"], "refs", "-c").Ok().OutputLines.Order(StringComparer.Ordinal));
        Assert.ThrowsAny<RepositoryException>(() => Repo.Create(scratch["bad"], RepoMode.Archive, "nodots"));
    }

    [Fact]
    public void Prune_keeps_what_a_mirrored_collection_leads_to()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = TransactionTests.New(scratch, RepoMode.Archive);
        Checksum commit = default;
        Set(repo, t => t.SetCollectionRef(new CollectionRef("org.example.There", "x"), commit = Commit(t, 1)));
        repo.Prune(new PruneOptions { RefsOnly = true });
        Assert.True(repo.HasObject(new ObjectName(commit, ObjectType.Commit)));
    }
}
