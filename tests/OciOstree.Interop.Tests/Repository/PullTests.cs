namespace OciOstree.Interop.Tests;

/// <summary>
/// The real <c>ostree</c> and ours pull from the same server and must end with the same repository: refs, objects, marks, caches and exit code;
/// each also from what the other has mirrored.
/// </summary>
public sealed class PullTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("pull");
    private readonly RepoServer server;

    public PullTests()
    {
        scratch.Write("tree/usr/bin/tool", "tool");
        scratch.Write("tree/usr/share/doc/text", string.Concat(Enumerable.Repeat("a long text\n", 30_000)));
        scratch.Write("tree/etc/empty", "");
        Tool.Shell("ln -s tool tree/usr/bin/link; chmod 4755 tree/usr/bin/tool", scratch.Path).Ok();
        Real("init --repo=source --mode=archive --collection-id=org.example.Source");
        Real("commit --repo=source -b os/main --timestamp=@1700000000 tree");
        scratch.Write("tree/usr/bin/more", "more");
        Real("commit --repo=source -b os/main --timestamp=@1700001000 tree");
        Real("commit --repo=source -b other --timestamp=@1700001000 tree");
        Real("refs --repo=source --collections --create=org.example.Mirrored:os/main os/main^");
        Real("summary --repo=source -u");
        server = new RepoServer(scratch["source"]);
    }

    public void Dispose()
    {
        server.Dispose();
        scratch.Dispose();
    }

    private ToolResult Real(string words) => Tool.Shell("ostree " + words, scratch.Path).Ok();

    private ToolResult Ours(string words) => Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, words.Split(' '));

    private ToolResult Theirs(string words) => Tool.Run(new ToolStart("ostree") { Directory = scratch.Path }, words.Split(' '));

    /// <summary>Both run on a repository each; the words name it REPO.</summary>
    private void Same(string words, string? complaint = null)
    {
        ToolResult theirs = Theirs(words.Replace("REPO", "theirs")), ours = Ours(words.Replace("REPO", "ours"));
        Assert.True(theirs.ExitCode == ours.ExitCode, $"{words}: theirs {theirs.ExitCode} {theirs.Error}, ours {ours.ExitCode} {ours.Error}");
        if (complaint is not null)
        {
            Assert.Contains(complaint, theirs.Error);
            Assert.Contains(complaint, ours.Error);
        }
        Assert.Equal(State("theirs", theirs.ExitCode == 0), State("ours", ours.ExitCode == 0));
    }

    // The real one leaves marks of partial commits behind when it fails, though not the commits; ours does not.
    private string State(string repo, bool succeeded = true) => Tool.Shell($"for d in refs objects tmp/cache {(succeeded ? "state" : "")}; " + """
        do [ ! -d $d ] || find $d \( -type f -o -type l \) -printf '%p\n' | sort; done
        find refs -type f | sort | xargs -r cat
        [ ! -f summary ] || sha256sum summary
        """, scratch[repo]).Ok().Output;

    private void New(string mode, string options = "")
    {
        foreach (string repo in (string[])["theirs", "ours"])
        {
            Tool.Shell($"rm -rf {repo}", scratch.Path).Ok();
            Real($"init --repo={repo} --mode={mode}");
            Real($"remote add --repo={repo} --set=gpg-verify=false {options} origin {server.Url.TrimEnd('/')}");
        }
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("archive")]
    public void The_same_comes_in(string mode)
    {
        New(mode);
        Same("pull --repo=REPO origin os/main --commit-metadata-only");
        Same("pull --repo=REPO origin os/main --subpath=/usr/bin");
        Same("pull --repo=REPO origin os/main --depth=-1");
        Same("pull --repo=REPO origin os/main other");
        Same("pull --repo=REPO origin nope", "No such branch 'nope' in repository summary");
        Same("pull --repo=REPO origin", "No configured branches for remote origin");
        Same("pull --repo=REPO --bareuseronly-files origin other");
        Same("pull --repo=REPO --timestamp-check origin os/main@" + Real("rev-parse --repo=source os/main^").OutputLine);
        Same("fsck -q --repo=REPO");
        New(mode);
        Same("pull --repo=REPO --bareuseronly-files origin other", "invalid mode");
        Same("pull --repo=REPO --url=file://" + scratch["source"] + " origin other");
        New(mode);
        Same("pull --repo=REPO --mirror origin");
        Same("pull --repo=REPO --mirror origin os/main");
        Same("fsck -q --repo=REPO");
        foreach (string words in (string[])["refs --repo=REPO", "refs --collections --repo=REPO", "remote refs --repo=REPO origin", "remote summary --repo=REPO origin",
            "remote summary --raw --repo=REPO origin", "remote summary --repo=REPO nope", "remote list -u --repo=REPO"])
            Assert.Equal(Theirs(words.Replace("REPO", "theirs")).OutputLines.Order(), Ours(words.Replace("REPO", "ours")).OutputLines.Order());
        // Newer releases than this one know these, too.
        Assert.Equal("'archive-z2'\n", Ours("remote summary --print-metadata-key=ostree.summary.mode --repo=ours origin").Ok().Output);
        Assert.Contains("ostree.summary.collection-map", Ours("remote summary --list-metadata-keys --repo=ours origin").Ok().OutputLines);
        Assert.Equal(Ours("refs --revision --repo=source").Ok().OutputLines.Select(line => "origin:" + line).Order(StringComparer.Ordinal), Ours("remote refs --revision --repo=ours origin").Ok().OutputLines);
    }

    [Fact]
    public void Each_pulls_from_what_the_other_has_mirrored()
    {
        New("archive");
        Same("pull --repo=REPO --mirror --depth=-1 origin");
        foreach ((string mirror, Func<string, ToolResult> client) in new[] { ("ours", Theirs), ("theirs", (Func<string, ToolResult>)Ours) })
        {
            using RepoServer second = new(scratch[mirror]);
            Assert.False(File.Exists(scratch[mirror + "/summary.sig"]));
            Real($"init --repo={mirror}-again --mode=bare-user");
            Real($"remote add --repo={mirror}-again --set=gpg-verify=false --collection-id=org.example.Source origin {second.Url}");
            client($"pull --repo={mirror}-again --depth=-1 origin os/main other").Ok();
            Real($"fsck -q --repo={mirror}-again");
        }
        Assert.Equal(State("ours-again"), State("theirs-again"));
    }

    [Fact]
    public void Bindings_and_collections_are_checked_alike()
    {
        New("bare-user", "--collection-id=org.example.Source");
        Same("pull --repo=REPO origin os/main");
        Real("refs --repo=source --create=renamed os/main");
        Real("summary --repo=source -u");
        Same("pull --repo=REPO origin renamed", "Commit has no requested ref ‘renamed’ in ref binding metadata");
        Same("pull --repo=REPO --disable-verify-bindings origin renamed");
        New("bare-user", "--collection-id=org.example.Another");
        Same("pull --repo=REPO origin os/main", "while the remote it came from has collection ID");
        Same("pull --repo=REPO --mirror --url=file://" + scratch["source"] + " origin os/main");
    }

    [Fact]
    public void A_summary_that_is_signed_is_fetched_once_by_either()
    {
        Tool.Shell("cp summary summary.sig", scratch["source"]).Ok(); // nobody looks at it here
        New("bare-user");
        Same("pull --repo=REPO origin os/main");
        Assert.Equal(2, Directory.GetFiles(scratch["ours/tmp/cache/summaries"]).Length);
        foreach (string file in (string[])["origin", "origin.sig"])
            Assert.Equal(Tool.Shell($"getfattr -n user.etag --only-values {file}; stat -c %Y {file}", scratch["theirs/tmp/cache/summaries"]).Ok().Output,
                Tool.Shell($"getfattr -n user.etag --only-values {file}; stat -c %Y {file}", scratch["ours/tmp/cache/summaries"]).Ok().Output);
        foreach ((Func<string, ToolResult> client, string repo) in new[] { ((Func<string, ToolResult>)Ours, "theirs"), (Theirs, "ours") })
        {
            server.Forget();
            client($"pull --repo={repo} origin os/main").Ok();
            Assert.DoesNotContain("summary", server.Requests);
            HttpExchange signature = Assert.Single(server.Exchanges, exchange => exchange.Path == "/summary.sig");
            Assert.StartsWith("\"", signature.Headers["If-None-Match"]);
        }
        // Elsewhere, or not at all
        scratch.MakeDirectory("cache-theirs");
        scratch.MakeDirectory("cache-ours");
        Same("pull --repo=REPO --cache-dir=cache-REPO origin other");
        Assert.True(File.Exists(scratch["cache-ours/summaries/origin.sig"]));
    }

    [Fact]
    public void Metalinks_are_read_alike()
    {
        byte[] summary = File.ReadAllBytes(scratch["source/summary"]);
        string sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(summary)), sha512 = Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(summary));
        string size = $"<size>{summary.Length}</size>", hash = $"<hash type=\"md5\">0</hash><hash type=\"sha256\">{sha256}</hash><hash type=\"sha512\">{sha512}</hash>";
        string urls = $"<url protocol=\"ftp\" type=\"ftp\" location=\"US\" preference=\"100\">ftp://nowhere/summary</url><url protocol=\"http\" type=\"http\" location=\"US\" preference=\"1\">{server.Url}nope/summary</url><url protocol=\"http\" type=\"http\" location=\"US\" preference=\"100\">{server.Url}summary</url>";
        string File_(string name, string size, string hash, string urls) => $"<file name=\"{name}\">{size}<verification>{hash}</verification><resources maxconnections=\"1\">{urls}</resources></file>";
        string Document(string files) => $"<?xml version=\"1.0\" encoding=\"utf-8\"?><metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"><x><y/></x><files><z/>{files}</files></metalink>";
        New("bare-user");
        foreach (string repo in (string[])["theirs", "ours"])
            Real($"remote add --repo={repo} --set=gpg-verify=false meta metalink={server.Url}metalink");
        foreach ((string document, string? complaint) in new (string, string?)[]
        {
            (Document(File_("other", size, hash, urls) + File_("summary", size, hash, urls)), null),
            (Document(File_("other", size, hash, urls)), "No <file name='summary'> found"),
            (Document(""), "No <file> element found"),
            (Document(File_("summary", "", hash, urls)), "No <size> element found or it is zero"),
            (Document(File_("summary", size, "<hash type=\"md5\">0</hash>", urls)), "No <verification> element with known <hash type=> found"),
            (Document(File_("summary", size, hash.Replace(sha512, "bacon"), urls)), "Invalid hash digest for sha512"),
            (Document(File_("summary", size, hash.Replace(sha512[..8], "00000000"), urls)), "last error: Expected checksum is 00000000"),
            (Document(File_("summary", "<size>3</size>", hash, urls)), $"last error: Expected size is 3 bytes but content is {summary.Length} bytes"),
            (Document(File_("summary", size, hash, "")), "No <url method='http'> elements found"),
            ("bacon", "Document must begin with an element"),
            ("<metalink>", ""),
        })
        {
            File.WriteAllText(scratch["source/metalink"], document);
            Same("pull --repo=REPO meta os/main", complaint);
            Assert.Equal(complaint is null ? 0 : 1, Ours("remote refs --repo=ours meta").ExitCode);
        }
        // What a document names and what it defines are nobody's to fetch or unfold; the real one takes both for text.
        File.WriteAllText(scratch["source/metalink"], $"<!DOCTYPE metalink [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + Document(File_("summary", size, hash, urls))[38..]);
        Assert.Contains("Malformed metalink", Ours("pull --repo=ours meta os/main").Failed().Error);
    }

    [Fact]
    public void Cookies_are_kept_and_sent_alike()
    {
        New("bare-user");
        Same("remote add-cookie --repo=REPO origin 127.0.0.1 / foo bar");
        Same("remote add-cookie --repo=REPO origin 127.0.0.1 / baz badger");
        Same("remote add-cookie --repo=REPO origin .example.org / elsewhere x");
        Same("remote delete-cookie --repo=REPO origin 127.0.0.1 /nope foo", "Cookie not found in jar");
        string Jar(string repo) => Tool.Shell("sed -E 's/[0-9]{10}/TIME/' origin.cookies.txt", scratch[repo]).Ok().Output;
        Assert.Equal(Jar("theirs"), Jar("ours"));
        foreach (Func<string, ToolResult> client in (Func<string, ToolResult>[])[Theirs, Ours])
        {
            server.Forget();
            client($"pull --repo={(client == Ours ? "ours" : "theirs")} origin other").Ok();
            Assert.All(server.Exchanges, exchange => Assert.Equal(["baz=badger", "foo=bar"], exchange.Headers["Cookie"].Split("; ").Order()));
        }
        Same("remote delete-cookie --repo=REPO origin 127.0.0.1 / foo");
        Assert.Equal(Jar("theirs"), Jar("ours"));
        Assert.Contains("Value: badger", Ours("remote list-cookies --repo=ours origin").Ok().Output);
    }
}
