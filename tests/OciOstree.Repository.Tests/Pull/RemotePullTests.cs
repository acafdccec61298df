using System.Collections.Concurrent;

namespace OciOstree.Repository.Tests;

public sealed class RemotePullTests : IDisposable, IClassFixture<PulledSource>
{
    private readonly ScratchDirectory scratch = new("pull");
    private readonly RepoServer server;
    private readonly Checksum first, second;

    public RemotePullTests(PulledSource source)
    {
        source.CopyTo(scratch.Path);
        (first, second) = (source.First, source.Second);
        server = new RepoServer(scratch["source"]);
    }

    public void Dispose()
    {
        server.Dispose();
        scratch.Dispose();
    }

    private Repo New(RepoMode mode, string name = "repo", string remote = "gpg-verify=false\n") =>
        TransactionTests.New(scratch, mode, name, $"[remote \"origin\"]\nurl={server.Url}\n{remote}");

    private string Fsck(string name = "repo") => Ostree.Run(scratch[name], "fsck", "--quiet").Ok().Output;

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.BareUserOnly)]
    [InlineData(RepoMode.Archive)]
    public void A_pull_brings_everything_once(RepoMode mode)
    {
        using Repo repo = New(mode);
        RemotePullStats stats = RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        Assert.Equal(second, repo.ResolveRef("origin:os/main"));
        Assert.Equal(stats.ContentFetched, stats.Written.ContentWritten);
        Assert.Equal(repo.Traverse(second), repo.ListObjects().ToHashSet());
        Fsck();
        Assert.Equal(Ostree.Listing(scratch["source"], second), Ostree.Listing(scratch["repo"], second));
        stats = RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        Assert.Equal((0, 0), (stats.MetadataFetched, stats.ContentFetched));
        if (mode == RepoMode.Archive)
            Assert.Equal(Tool.Shell("find objects -name '*.filez' | sort | xargs sha256sum", scratch["source"]).Ok().Output.Split('\n').Intersect(
                Tool.Shell("find objects -name '*.filez' | sort | xargs sha256sum", scratch["repo"]).Ok().Output.Split('\n')).Count(), Tool.Shell("find objects -name '*.filez' | sort | xargs sha256sum", scratch["repo"]).Ok().Output.Split('\n').Length);
    }

    [Fact]
    public void Depth_brings_ancestors_and_commits_alone_are_marked()
    {
        using Repo repo = New(RepoMode.Bare);
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], CommitsOnly = true, Depth = -1 });
        Assert.Equal(2, repo.ListObjects().Count());
        Assert.Equal(CommitState.Partial, repo.StateOf(second));
        Assert.Equal(CommitState.Partial, repo.StateOf(first));
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = [second.ToString()], Depth = 1 });
        Assert.Equal(CommitState.Whole, repo.StateOf(second));
        Assert.Equal(CommitState.Whole, repo.StateOf(first));
        Fsck();
    }

    [Fact]
    public void Subpaths_bring_a_part_and_the_rest_can_follow()
    {
        using Repo repo = New(RepoMode.Bare);
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], Subpaths = ["/usr/bin", "/usr/share/doc"] });
        Assert.Equal(CommitState.Partial, repo.StateOf(second));
        Assert.Equal(2, repo.ListObjects().Count(name => name.Type == ObjectType.File));
        Ostree.Run(scratch["repo"], "checkout", "--subpath=/usr/bin", "origin:os/main", scratch["bin"]).Ok();
        Assert.Equal("newer tool", File.ReadAllText(scratch["bin/tool"]));
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        Assert.Equal(CommitState.Whole, repo.StateOf(second));
        Fsck();
    }

    [Fact]
    public void A_mirror_takes_all_refs_of_the_summary_and_the_summary()
    {
        using Repo repo = New(RepoMode.Archive);
        Assert.Contains("does not have a summary", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Mirror = true })).Message);
        Ostree.Run(scratch["source"], "summary", "-u").Ok();
        RemotePull.Run(repo, "origin", new RemotePullOptions { Mirror = true });
        Assert.Equal(["os/main", "other"], repo.ListRefs().Keys);
        Assert.Equal(File.ReadAllBytes(scratch["source/summary"]), File.ReadAllBytes(scratch["repo/summary"]));
        Fsck();
        Assert.Contains("No such branch 'absent'", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["absent"] })).Message);
    }

    [Theory]
    [InlineData(".filez")]
    [InlineData(".dirtree")]
    [InlineData(".dirmeta")]
    [InlineData(".commit")]
    public void A_tampered_object_changes_nothing_and_what_was_good_is_not_fetched_again(string ending)
    {
        using Repo repo = New(RepoMode.Bare);
        string victim = PathOf(Pick(ending));
        server.Fault = (path, context) =>
        {
            if (path != victim)
                return false;
            byte[] bytes = File.ReadAllBytes(scratch["source/" + path]);
            bytes[^2] ^= 0x40;
            context.Respond(200, bytes);
            return true;
        };
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], Connections = 1 }));
        Assert.Contains(victim.Split('/')[2].Split('.')[0], e.ToString());
        Assert.Empty(repo.ListObjects());
        Assert.Empty(repo.ListRefs());
        server.Fault = static (_, _) => false;
        HashSet<string> before = [.. server.Requests];
        server.Forget();
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        Assert.Equal(ending == ".commit" ? [] : before.Where(path => path.StartsWith("objects/") && path != victim && !path.Contains(".commit")).ToHashSet().Intersect(server.Requests), []);
        Fsck();
    }

    private static string PathOf(ObjectName name) =>
        $"objects/{name.Checksum.ToString()[..2]}/{name.Checksum.ToString()[2..]}.{(name.Type == ObjectType.File ? "filez" : name.Type.Word())}";

    private ObjectName Pick(string ending)
    {
        using Repo source = Repo.Open(scratch["source"]);
        return source.Traverse(second).Order().Last(name => PathOf(name).EndsWith(ending, StringComparison.Ordinal)
            && (name.Type != ObjectType.File || source.ReadFileHeader(name.Checksum, out long size) is { IsSymlink: false } && size > 100));
    }

    [Fact]
    public void A_server_that_stumbles_over_every_file_is_asked_again()
    {
        ConcurrentDictionary<string, int> asked = new();
        server.Fault = (path, context) =>
        {
            if (asked.AddOrUpdate(path, 1, (_, n) => n + 1) > 1 || !File.Exists(scratch["source/" + path]))
                return false;
            byte[] bytes = File.ReadAllBytes(scratch["source/" + path]);
            if (bytes.Length < 40)
            {
                context.Respond(503);
                return true;
            }
            context.Head(200, ("Content-Length", bytes.Length.ToString()));
            context.Raw(bytes.AsSpan(0, bytes.Length / 2));
            context.Close();
            return true;
        };
        using Repo repo = New(RepoMode.Bare);
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], Connections = 16 });
        Fsck();
    }

    [Fact]
    public void What_is_missing_on_the_server_is_named_by_its_address()
    {
        using Repo repo = New(RepoMode.Bare);
        string victim = PathOf(Pick(".filez"));
        File.Delete(scratch["source/" + victim]);
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] }));
        Assert.Equal($"While fetching {server.Url}{victim}: Server returned HTTP 404", e.Message);
        Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["absent"] }));
        Assert.Contains("not found", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "nowhere", new RemotePullOptions())).Message);
        server.Dispose();
        e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], Retries = 0 }));
        Assert.Equal($"While fetching {server.Url}summary.sig", e.Message);
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void Signatures_are_wanted_by_default_and_must_be_by_a_trusted_key()
    {
        scratch.MakeDirectory("gpg");
        Tool.Run("chmod", "0700", scratch["gpg"]).Ok();
        foreach (string who in (string[])["trusted", "stranger"])
        {
            Tool.Run("gpg", "--homedir", scratch["gpg"], "--batch", "--passphrase", "", "--quick-gen-key", $"{who}@example.org", "ed25519", "sign", "never").Ok();
            Tool.Run("gpg", "--homedir", scratch["gpg"], "--armor", "--output", scratch[who + ".asc"], "--export", $"{who}@example.org").Ok();
        }
        using Repo repo = New(RepoMode.Bare, remote: $"gpgkeypath={scratch["trusted.asc"]}\n");
        AssertRefused(repo, "no signatures found");
        Sign("stranger");
        AssertRefused(repo, "public key not found");
        Sign("trusted");
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        Assert.Equal(second, repo.ResolveRef("origin:os/main"));

        // The same for a repository on this machine, and for a signature of something else.
        using Repo local = New(RepoMode.Bare, "local", $"gpgkeypath={scratch["trusted.asc"]}\n");
        RemotePullOptions nearby = new() { Refs = ["os/main"], Url = $"file://{scratch["source"]}" };
        RemotePull.Run(local, "origin", nearby);
        Ostree.Commit(scratch["source"], scratch["tree"], "os/main", "--timestamp=@1700002000");
        Assert.Contains("no signatures found", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(local, "origin", nearby)).ToString());
        string newer = Ostree.Run(scratch["source"], "rev-parse", "os/main").Ok().OutputLine;
        Tool.Shell($"cp objects/{second.ToString()[..2]}/{second.ToString()[2..]}.commitmeta objects/{newer[..2]}/{newer[2..]}.commitmeta", scratch["source"]).Ok();
        Assert.Contains("public key not found", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(local, "origin", nearby)).ToString());
        Assert.Equal(second, local.ResolveRef("origin:os/main"));
        Tool.Run("gpgconf", "--homedir", scratch["gpg"], "--kill", "all");

        void Sign(string who) => Ostree.Run(scratch["source"], "gpg-sign", $"--gpg-homedir={scratch["gpg"]}", second.ToString(),
            Tool.Shell($"gpg --homedir {scratch["gpg"]} --list-keys --with-colons {who}@example.org | awk -F: '/^fpr/{{print $10; exit}}'").Ok().OutputLine).Ok();
    }

    private static void AssertRefused(Repo repo, string reason)
    {
        Assert.Contains(reason, Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] })).ToString());
        Assert.Empty(repo.ListRefs());
        Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void An_older_commit_is_refused_when_the_time_is_checked()
    {
        using Repo repo = New(RepoMode.Bare);
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"] });
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = [$"os/main@{first}"], TimestampCheck = true }));
        Assert.Contains("is chronologically older than current revision", e.Message);
        Assert.Equal(second, repo.ResolveRef("origin:os/main"));
        RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = [$"os/main@{first}"] });
        Assert.Equal(first, repo.ResolveRef("origin:os/main"));
    }

    [Fact]
    public void A_cache_on_this_machine_is_asked_before_the_network()
    {
        using Repo cache = New(RepoMode.BareUser, "cache"), repo = New(RepoMode.Bare);
        RemotePull.Run(cache, "origin", new RemotePullOptions { Refs = ["other"] });
        RemotePullStats stats = RemotePull.Run(repo, "origin", new RemotePullOptions { Refs = ["os/main"], LocalCaches = [cache] });
        Assert.Equal(0, stats.ContentFetched);
        Fsck();
    }
}
