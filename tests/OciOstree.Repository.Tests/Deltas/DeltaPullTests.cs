namespace OciOstree.Repository.Tests;

/// <summary>Pulling by static deltas: which are chosen, what is fetched, what happens when something is missing or damaged.</summary>
public sealed class DeltaPullTests : IClassFixture<DeltaFixture>, IDisposable
{
    private readonly DeltaFixture fixture;
    private readonly ScratchDirectory scratch = new("delta-pull");
    private readonly RepoServer server;

    public DeltaPullTests(DeltaFixture fixture)
    {
        this.fixture = fixture;
        fixture.Copy(scratch, "source");
        server = new RepoServer(scratch["source"]);
    }

    public void Dispose()
    {
        server.Dispose();
        scratch.Dispose();
    }

    private void Generate(DeltaName? name = null, DeltaGenerateOptions? options = null)
    {
        using Repo source = Repo.Open(scratch["source"]);
        DeltaGenerator.Run(source, name ?? fixture.Name, options ?? new DeltaGenerateOptions { MinFallbackSize = 0 });
        RepoSummary.Regenerate(source);
    }

    /// <summary>A repository with the remote <c>origin</c> and the older commit, which its ref points at.</summary>
    private Repo Client(RepoMode mode = RepoMode.BareUser, bool empty = false, string name = "client")
    {
        string config = $"[remote \"origin\"]\nurl={server.Url}\ngpg-verify=false\n";
        Repo repo = TransactionTests.New(scratch, mode, name, config);
        if (empty)
            return repo;
        using Repo source = Repo.Open(scratch["source"]);
        LocalPull.Run(source, repo, new LocalPullOptions { Refs = [fixture.From.ToString()] });
        using RepoTransaction transaction = repo.BeginTransaction();
        transaction.SetRef("origin:main", fixture.From);
        transaction.Commit();
        return repo;
    }

    private RemotePullStats Pull(Repo repo, RemotePullOptions? options = null)
    {
        server.Forget();
        return RemotePull.Run(repo, "origin", (options ?? new RemotePullOptions()) with { Refs = (options ?? new RemotePullOptions()).Refs ?? ["main"], Retries = 0 });
    }

    private void AssertArrived(Repo repo, string name = "client")
    {
        Assert.Equal(fixture.To, repo.ResolveRef("origin:main"));
        Assert.Equal(CommitState.Whole, repo.StateOf(fixture.To));
        Ostree.Run(scratch[name], "fsck", "--quiet").Ok();
        Assert.Equal(Ostree.Listing(fixture.Source, fixture.To), Ostree.Listing(scratch[name], fixture.To));
    }

    private bool Asked(string part) => server.Requests.Any(path => path.Contains(part, StringComparison.Ordinal));

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.BareUserOnly)]
    public void A_delta_brings_everything_and_no_object_is_asked_for(RepoMode mode)
    {
        Generate();
        using Repo repo = Client(mode);
        RemotePullStats stats = Pull(repo);
        AssertArrived(repo);
        Assert.False(Asked("objects/"), string.Join('\n', server.Requests));
        Assert.Equal((1, 1, 2), (stats.Deltas!.Value.PartsFetched, stats.Deltas.Value.Parts, stats.MetadataFetched));
        // There is nothing more to bring, and only what a delta could not know is asked for.
        Pull(repo);
        Assert.False(Asked("deltas/"), string.Join('\n', server.Requests));
    }

    [Fact]
    public void It_is_found_without_an_index_or_a_summary()
    {
        Generate();
        Directory.Delete(scratch["source/delta-indexes"], recursive: true);
        File.WriteAllText(scratch["source/config"], File.ReadAllText(scratch["source/config"]).Replace("indexed-deltas=true", ""));
        File.Delete(scratch["source/summary"]);
        using Repo repo = Client();
        Assert.Equal(1, Pull(repo).Deltas!.Value.PartsFetched);
        AssertArrived(repo);
    }

    [Fact]
    public void The_real_client_pulls_ours_and_we_pull_the_real_ones()
    {
        Generate();
        Client(name: "theirs").Dispose();
        // What else it fetches meanwhile it decides by the moment.
        string pulled = Ostree.Run(scratch["theirs"], "pull", "--require-static-deltas", "origin", "main").Ok().Output;
        Assert.Contains("1 delta parts, ", pulled);
        Ostree.Run(scratch["theirs"], "fsck", "--quiet").Ok();

        Directory.Delete(scratch["source/deltas"], recursive: true);
        Ostree.Run(scratch["source"], "static-delta", "generate", $"--from={fixture.From}", $"--to={fixture.To}").Ok();
        Ostree.Run(scratch["source"], "summary", "-u").Ok();
        using Repo ours = Client();
        RemotePullStats stats = Pull(ours, new RemotePullOptions { RequireDeltas = true });
        Assert.True(stats.Deltas!.Value.PartsFetched > 0);
        AssertArrived(ours);
    }

    [Fact]
    public void A_new_client_takes_one_from_nothing_and_who_has_the_ref_does_not()
    {
        Generate(new DeltaName(null, fixture.To), new DeltaGenerateOptions { MinFallbackSize = 1_000_000 });
        using Repo fresh = Client(empty: true);
        RemotePullStats stats = Pull(fresh);
        AssertArrived(fresh);
        // The large file is an object of its own.
        Assert.Equal(1, stats.ContentFetched);
        using Repo old = Client(name: "old");
        stats = Pull(old);
        Assert.Equal(0, stats.Deltas!.Value.Parts);
        AssertArrived(old, "old");
    }

    [Fact]
    public void Where_deltas_are_not_wanted_or_would_not_help_objects_come()
    {
        Generate();
        using Repo plain = Client(name: "plain"), archive = Client(RepoMode.Archive, name: "archive"), part = Client(name: "part");
        Pull(plain, new RemotePullOptions { UseDeltas = false });
        Assert.False(Asked("delta"));
        AssertArrived(plain, "plain");
        Pull(archive);
        Assert.False(Asked("delta"));
        AssertArrived(archive, "archive");
        Assert.Equal("Can't use static deltas in an archive repo", Assert.ThrowsAny<RepositoryException>(() => Pull(archive, new RemotePullOptions { RequireDeltas = true })).Message);
        Pull(part, new RemotePullOptions { Subpaths = ["/usr/new"] });
        Assert.False(Asked("delta"));
    }

    [Fact]
    public void What_is_required_and_missing_is_an_error()
    {
        using Repo repo = Client();
        Assert.StartsWith("Fetch configured to require static deltas", Assert.ThrowsAny<RepositoryException>(() => Pull(repo, new RemotePullOptions { RequireDeltas = true })).Message);
        Generate(new DeltaName(null, fixture.From));
        Assert.StartsWith("Static deltas required, but none found for main to", Assert.ThrowsAny<RepositoryException>(() => Pull(repo, new RemotePullOptions { RequireDeltas = true })).Message);
    }

    [Fact]
    public void A_dry_run_tells_what_would_come_and_fetches_no_part()
    {
        Generate();
        using Repo repo = Client();
        DeltaStats stats = Pull(repo, new RemotePullOptions { RequireDeltas = true, DryRun = true }).Deltas!.Value;
        Assert.Equal((0, 1), (stats.PartsFetched, stats.Parts));
        Assert.Equal((ulong)new FileInfo(scratch["source/" + fixture.Name.Part(0)]).Length, stats.Size);
        Assert.False(Asked(fixture.Name.Part(0)));
        Assert.Equal(fixture.From, repo.ResolveRef("origin:main"));
    }

    [Fact]
    public void Damage_is_noticed_and_nothing_appears()
    {
        Generate();
        string part = scratch["source/" + fixture.Name.Part(0)], superblock = scratch["source/" + fixture.Name.Superblock];
        byte[] sound = File.ReadAllBytes(part);
        File.WriteAllBytes(part, [.. sound[..^1], (byte)(sound[^1] ^ 1)]);
        using Repo repo = Client();
        Assert.Contains("Checksum mismatch in static delta part", Assert.ThrowsAny<RepositoryException>(() => Pull(repo)).InnerException!.Message);
        File.WriteAllBytes(part, [.. sound, 0]);
        Assert.ThrowsAny<RepositoryException>(() => Pull(repo));
        File.WriteAllBytes(superblock, [.. File.ReadAllBytes(superblock), 0]);
        Assert.Contains("Invalid checksum for static delta", Assert.ThrowsAny<RepositoryException>(() => Pull(repo)).InnerException!.Message);
        Assert.Equal(fixture.From, repo.ResolveRef("origin:main"));
        Assert.False(repo.HasObject(new ObjectName(fixture.To, ObjectType.Commit)));
    }

    [Fact]
    public void Parts_that_came_before_a_pull_broke_off_are_not_fetched_again()
    {
        Generate(options: new DeltaGenerateOptions { MinFallbackSize = 0, MaxChunkSize = 20_000 });
        string last = "";
        using (Repo source = Repo.Open(scratch["source"]))
            last = fixture.Name.Part(DeltaSuperblock.Parse(File.ReadAllBytes(scratch["source/" + fixture.Name.Superblock])).Parts.Count - 1);
        using Repo repo = Client();
        server.Fault = (path, exchange) =>
        {
            if (path != last)
                return false;
            exchange.Respond(500);
            return true;
        };
        Assert.ThrowsAny<RepositoryException>(() => Pull(repo));
        int parts = server.Requests.Count(path => path.StartsWith("deltas/", StringComparison.Ordinal));
        Assert.True(parts > 3, string.Join('\n', server.Requests));
        server.Fault = static (_, _) => false;
        Pull(repo);
        Assert.InRange(server.Requests.Count(path => path.StartsWith("deltas/", StringComparison.Ordinal)), 2, 3);
        AssertArrived(repo);
    }

    [Fact]
    public void Between_repositories_of_one_machine_they_are_used_where_they_are_required()
    {
        Generate();
        using Repo repo = Client(), source = Repo.Open(scratch["source"]);
        RemotePullStats stats = LocalPull.RunByDeltas(source, repo, new LocalPullOptions { Refs = ["main"], Remote = "origin" });
        Assert.Equal((1, 2), (stats.Deltas!.Value.PartsFetched, stats.MetadataFetched));
        Assert.True(stats.BytesTransferred > 0);
        AssertArrived(repo);
    }
}
