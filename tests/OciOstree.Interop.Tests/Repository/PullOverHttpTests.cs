using System.Diagnostics;

namespace OciOstree.Interop.Tests;

/// <summary>What the real <c>ostree</c> and ours ask a web server for, what they believe of it, and how ours is interrupted.</summary>
public sealed class PullOverHttpTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("pull-http");
    private readonly RepoServer server;

    public PullOverHttpTests()
    {
        foreach (string name in (string[])["usr/bin/a", "usr/bin/b", "usr/share/c", "etc/d"])
            scratch.Write("tree/" + name, name);
        Real("init --repo=source --mode=archive");
        Real("commit --repo=source -b main --timestamp=@1700000000 tree");
        scratch.Write("tree/usr/bin/a", "newer");
        Real("commit --repo=source -b main --timestamp=@1700001000 tree");
        Real("summary --repo=source -u");
        server = new RepoServer(scratch["source"]);
    }

    public void Dispose()
    {
        server.Dispose();
        scratch.Dispose();
    }

    private ToolResult Real(string words) => Tool.Shell("ostree " + words, scratch.Path).Ok();

    private ToolResult Run(bool ours, string words) =>
        Tool.Run(new ToolStart(ours ? OurProgram.Path("ostree") : "ostree") { Directory = scratch.Path }, words.Replace("REPO", Name(ours)).Split(' '));

    private static string Name(bool ours) => ours ? "ours" : "theirs";

    private void New(string options, string mode = "bare-user")
    {
        foreach (bool ours in (bool[])[false, true])
        {
            Tool.Run("rm", "-rf", scratch[Name(ours)]).Ok();
            Real($"init --repo={Name(ours)} --mode={mode}");
            Real($"remote add --repo={Name(ours)} {options} origin {server.Url.TrimEnd('/')}");
        }
    }

    private List<string> Asked(bool ours, string words)
    {
        server.Forget();
        Run(ours, words).Ok();
        return [.. server.Requests];
    }

    /// <summary>Nothing that the real one does without, but where ours knows of something newer, and nothing twice; all objects that it brings but by deltas.</summary>
    private void AsksForNoMore(string words)
    {
        List<string> theirs = Asked(false, words), ours = Asked(true, words);
        Assert.Equal(ours.Count, ours.Distinct().Count());
        string[] more = [.. ours.Except(theirs).Where(path => path != "config" && !path.StartsWith("delta-indexes/", StringComparison.Ordinal))];
        Assert.True(more.Length == 0, $"{words}: {string.Join(' ', more)}");
        if (!ours.Any(path => path.StartsWith("deltas/", StringComparison.Ordinal) && File.Exists(scratch["source/" + path])))
            Assert.Equal(theirs.Where(IsObject).Order(StringComparer.Ordinal), ours.Where(IsObject).Order(StringComparer.Ordinal));

        static bool IsObject(string path) => path.StartsWith("objects/", StringComparison.Ordinal) && !path.EndsWith(".commitmeta", StringComparison.Ordinal);
    }

    [Fact]
    public void No_more_is_asked_of_a_server_than_the_real_one_asks()
    {
        New("--set=gpg-verify=false");
        foreach (string what in (string[])["--commit-metadata-only", "--subpath=/usr/bin", "", "", "--depth=1"])
            AsksForNoMore($"pull --repo=REPO origin main {what}".TrimEnd());
        New("--set=gpg-verify=false", "archive");
        AsksForNoMore("pull --repo=REPO --mirror origin");
        AsksForNoMore("pull --repo=REPO --mirror origin");
        string first = Real("rev-parse --repo=source main^").OutputLine;
        Real("static-delta generate --repo=source --from=main^ --to=main");
        Real("summary --repo=source -u");
        New("--set=gpg-verify=false");
        AsksForNoMore($"pull --repo=REPO origin main@{first}");
        AsksForNoMore("pull --repo=REPO origin main");
        Assert.Contains(server.Requests, path => path.StartsWith("deltas/", StringComparison.Ordinal));
        File.Delete(scratch["source/summary"]);
        New("--set=gpg-verify=false");
        AsksForNoMore("pull --repo=REPO --disable-static-deltas origin main");
    }

    [Fact]
    public void Requests_say_the_same_of_who_asks()
    {
        New("--set=gpg-verify=false");
        foreach (string repo in (string[])["theirs", "ours"])
            Real($"config --repo={repo} set 'remote \"origin\".url' http://me:secret@{server.Url[7..^1]}");
        const string Words = "pull --repo=REPO --http-header=X-Channel=stable --http-header=X-Empty= --append-user-agent=robot/1 origin main";
        List<Dictionary<string, string>> said = [];
        foreach (bool ours in (bool[])[false, true])
        {
            Asked(ours, Words);
            foreach (string header in (string[])["Authorization", "X-Channel"])
                Assert.Single(server.Exchanges.Select(exchange => exchange.Headers[header]).Distinct());
            said.Add(server.Exchanges[0].Headers.Where(header => header.Key is "Authorization" or "X-Channel" or "User-Agent").ToDictionary());
            Assert.Matches("^libostree/20[0-9.]+ robot/1$", server.Exchanges[0].Headers["User-Agent"]);
        }
        foreach (string header in (string[])["Authorization", "X-Channel"])
            Assert.Equal(said[0][header], said[1][header]);
    }

    // Both end with the same exit code; the words are in both complaints.
    private void Same(string words, string? complaint = null)
    {
        ToolResult theirs = Run(false, words), ours = Run(true, words);
        Assert.True((complaint is null ? 0 : 1, theirs.ExitCode) == (theirs.ExitCode, ours.ExitCode), $"{words}: theirs {theirs.ExitCode} {theirs.Error}, ours {ours.ExitCode} {ours.Error}");
        Assert.True(complaint is null || theirs.Error.Contains(complaint, StringComparison.Ordinal) && ours.Error.Contains(complaint, StringComparison.Ordinal), $"{words}: theirs {theirs.Error}, ours {ours.Error}");
        if (complaint is not null)
            Assert.Single(ours.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(Tool.Shell("find refs -type f | sort | xargs -r cat", scratch["theirs"]).Ok().Output, Tool.Shell("find refs -type f | sort | xargs -r cat", scratch["ours"]).Ok().Output);
    }

    [Fact]
    public void Signatures_are_believed_alike()
    {
        using GpgHome home = new();
        Keys(home.Trusted);
        const string Pull = "pull --repo=REPO origin main";
        New("--gpg-import=keys");
        Same(Pull, "GPG verification enabled, but no signatures found");
        Sign(home.Stranger);
        Same(Pull, "Can't check signature: public key not found");
        Sign(home.Trusted);
        Same(Pull);

        // A key that is no good any more: revoked, then expired since it signed.
        string certificate = Path.Combine(home.Path, "openpgp-revocs.d", home.Stranger + ".rev");
        File.WriteAllText(certificate, File.ReadAllText(certificate).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal));
        home.Gpg("--batch", "--import", certificate);
        Keys(home.Stranger);
        New("--gpg-import=keys");
        Same(Pull, "Key revoked");
        home.Gpg("--batch", "--faked-system-time", "20200101T000000", "--passphrase", "", "--quick-gen-key", "old@example.org", "ed25519", "sign", "never");
        string old = home.Gpg("--with-colons", "--list-keys", "old@example.org").OutputLines.First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
        Sign(old);
        home.Gpg("--batch", "--faked-system-time", "20200102T000000", "--quick-set-expire", old, "20200601T000000");
        Keys(old);
        New("--gpg-import=keys");
        Same(Pull, "expired");

        // The summary's
        Keys(home.Trusted);
        New("--gpg-import=keys --set=gpg-verify-summary=true");
        Same(Pull, "GPG verification enabled, but no summary.sig found (use gpg-verify-summary=false in remote config to disable)");
        Real($"summary --repo=source -u --gpg-homedir={home.Path} --gpg-sign={home.Generate("other@example.org")}");
        Same(Pull, "Can't check signature: public key not found");
        Real($"summary --repo=source -u --gpg-homedir={home.Path} --gpg-sign={home.Trusted}");
        Same(Pull);
        byte[] summary = File.ReadAllBytes(scratch["source/summary"]);
        Real("commit --repo=source -b another --timestamp=@1700001000 tree");
        Real($"summary --repo=source -u");
        Assert.NotEqual(summary, File.ReadAllBytes(scratch["source/summary"]));
        Real($"gpg-sign --repo=source --gpg-homedir={home.Path} another {home.Trusted}");
        Real($"summary --repo=source -u --gpg-homedir={home.Path} --gpg-sign={home.Trusted}");
        File.WriteAllBytes(scratch["source/summary"], summary);
        New("--gpg-import=keys --set=gpg-verify-summary=true");
        Same(Pull, "BAD signature");

        void Keys(string key) => File.WriteAllBytes(scratch["keys"], home.Export(key));

        void Sign(string key) => Real($"gpg-sign --repo=source --gpg-homedir={home.Path} main {key}");
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void An_interrupt_ends_a_pull_that_waits_and_the_next_one_goes_on(string signal)
    {
        New("--set=gpg-verify=false");
        string checksum = Real("ls --repo=source -C main /usr/share/c").OutputLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], victim = $"objects/{checksum[..2]}/{checksum[2..]}.filez";
        using ManualResetEventSlim asked = new(), over = new();
        server.Fault = (path, exchange) =>
        {
            if (path != victim)
                return false;
            exchange.Head(200, ("Content-Length", "1000000"));
            exchange.Raw(File.ReadAllBytes(scratch["source/" + path]).AsSpan(0, 20));
            asked.Set();
            over.Wait();
            exchange.Close();
            return true;
        };
        // Whoever runs the tests in the background may have had them ignore the signal, which every child inherits.
        using Process pull = Process.Start(new ProcessStartInfo("env", [$"--default-signal={signal}", OurProgram.Path("ostree"), "pull", "--repo=" + scratch["ours"], "--max-outstanding-fetcher-requests=1", "origin", "main"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Assert.True(asked.Wait(TimeSpan.FromMinutes(2)));
        Tool.Run("kill", "-" + signal, pull.Id.ToString()).Ok();
        Assert.True(pull.WaitForExit(TimeSpan.FromMinutes(2)));
        Assert.Equal("error: interrupted\n", pull.StandardError.ReadToEnd());
        Assert.Equal(130, pull.ExitCode);
        over.Set();
        string[] before = [.. server.Requests.Where(path => path.StartsWith("objects/", StringComparison.Ordinal) && path != victim)];
        Assert.Empty(Directory.EnumerateFiles(scratch["ours/refs"], "*", SearchOption.AllDirectories));
        server.Fault = static (_, _) => false;
        server.Forget();
        Run(true, "pull --repo=REPO origin main").Ok();
        Assert.Empty(before.Where(path => !path.Contains(".commit", StringComparison.Ordinal)).Intersect(server.Requests));
        Real("fsck -q --repo=ours");
    }
}
