namespace OciOstree.Repository.Tests;

/// <summary>Where requests go and what they say: redirections, mirrors, content elsewhere, credentials and proxies.</summary>
public sealed class PullAddressTests : IDisposable, IClassFixture<SmallSource>
{
    private readonly ScratchDirectory scratch = new("pull-address");
    private readonly SmallSource source;
    private readonly RepoServer server, other;

    public PullAddressTests(SmallSource source)
    {
        this.source = source;
        (server, other) = (new RepoServer(source.Path), new RepoServer(source.Path));
    }

    public void Dispose()
    {
        server.Dispose();
        other.Dispose();
        scratch.Dispose();
    }

    private static RemotePullOptions Options => new() { Refs = ["main"], Retries = 0, LowSpeedTime = TimeSpan.FromSeconds(1) };

    private Repo New(string options, string name = "repo") => TransactionTests.New(scratch, RepoMode.BareUser, name, $"[remote \"origin\"]\ngpg-verify=false\n{options}\n");

    private void Succeeds(string options, RemotePullOptions? how = null)
    {
        using Repo repo = New(options);
        RemotePull.Run(repo, "origin", how ?? Options);
        Assert.Equal(repo.Traverse(source.Commit), repo.ListObjects().ToHashSet());
    }

    private string Fails(string options, RemotePullOptions? how = null)
    {
        using Repo repo = New(options);
        Exception e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(repo, "origin", how ?? Options));
        Assert.Empty(repo.ListObjects());
        string line = e.Message;
        for (Exception? inner = e.InnerException; inner is not null; inner = inner.InnerException)
            line += ": " + inner.Message;
        return line;
    }

    private void Redirect(Func<string, string?> to, int status = 302) => server.Fault = (path, exchange) =>
    {
        if (to(path) is not { } location)
            return false;
        exchange.Respond(status, "moved"u8.ToArray(), ("Location", location));
        return true;
    };

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public void Redirections_are_followed_and_credentials_stay_with_their_server(int status)
    {
        // First to another path of the same server, then to another server.
        Redirect(path => path.StartsWith("objects/") ? "/moved/" + path : path.StartsWith("moved/") ? other.Url + path["moved/".Length..] : null, status);
        Succeeds($"url=http://user:p%40ss@{server.Url[7..]}", Options with { Headers = [KeyValuePair.Create("X-Channel", "stable"), KeyValuePair.Create("Cookie", "a=b")] });
        Assert.All(server.Exchanges, exchange => Assert.Equal("Basic " + Convert.ToBase64String("user:p@ss"u8), exchange.Headers["Authorization"]));
        Assert.All(server.Exchanges, exchange => Assert.Equal("a=b", exchange.Headers["Cookie"]));
        Assert.Contains(server.Requests, path => path.StartsWith("moved/objects/"));
        Assert.NotEmpty(other.Exchanges);
        Assert.All(other.Exchanges, exchange => Assert.False(exchange.Headers.ContainsKey("Authorization") || exchange.Headers.ContainsKey("Cookie")));
        Assert.All(other.Exchanges, exchange => Assert.Equal("stable", exchange.Headers["X-Channel"]));
    }

    [Fact]
    public void A_header_with_credentials_is_not_told_to_another_server()
    {
        Redirect(path => path.StartsWith("objects/") ? other.Url + path : null);
        Succeeds($"url={server.Url}", Options with { Headers = [KeyValuePair.Create("Authorization", "Bearer secret")] });
        Assert.All(server.Exchanges, exchange => Assert.Equal("Bearer secret", exchange.Headers["Authorization"]));
        Assert.All(other.Exchanges, exchange => Assert.False(exchange.Headers.ContainsKey("Authorization")));
    }

    [Fact]
    public void Redirections_that_lead_nowhere_end()
    {
        Redirect(path => path.StartsWith("objects/") ? "/" + path + "x" : null);
        Assert.Contains("Server redirected more than 20 times", Fails($"url={server.Url}"));
        Redirect(path => path == source.TreePath ? "ftp://example.org/x" : null);
        Assert.Contains("Server redirected to ftp://example.org/x, which is no web address", Fails($"url={server.Url}"));
        Redirect(path => path == source.TreePath ? "file:///etc/passwd" : null);
        Assert.Contains("which is no web address", Fails($"url={server.Url}"));
    }

    [Theory]
    [InlineData("lacks")]
    [InlineData("damages")]
    [InlineData("stalls")]
    [InlineData("breaks")]
    [InlineData("floods")]
    public void What_one_mirror_does_not_give_the_next_one_does(string how)
    {
        File.WriteAllText(scratch["list"], $"# our mirrors\nftp://example.org/repo\n{server.Url}\n{other.Url}\n");
        using RepoServer lists = new(scratch.Path);
        using ManualResetEventSlim over = new();
        server.Fault = (path, exchange) =>
        {
            if (path != source.TreePath && path != source.NoisePath)
                return false;
            switch (how)
            {
                case "lacks":
                    exchange.Respond(404);
                    break;
                case "damages":
                    exchange.Respond(200, new byte[100]);
                    break;
                case "stalls":
                    over.Wait();
                    break;
                case "breaks":
                    exchange.Close();
                    break;
                case "floods":
                    exchange.Head(200, ("Content-Length", "999999999999"));
                    exchange.Close();
                    break;
            }
            return true;
        };
        Succeeds($"url=mirrorlist={lists.Url}list");
        over.Set();
        Assert.Equal([source.TreePath, source.NoisePath], other.Requests.Where(path => path == source.TreePath || path == source.NoisePath).Distinct());
        Assert.DoesNotContain(other.Requests, path => path.StartsWith("refs/"));
    }

    [Fact]
    public void Mirrors_of_which_none_answers_are_complained_of()
    {
        using RepoServer lists = new(scratch.Path);
        File.WriteAllText(scratch["list"], "# nothing\n");
        Assert.Contains($"No valid mirrors were found in mirrorlist '{lists.Url}list'", Fails($"url=mirrorlist={lists.Url}list"));
        Assert.Contains("Server returned HTTP 404", Fails($"url=mirrorlist={lists.Url}none"));
        server.Dispose();
        File.WriteAllText(scratch["list"], server.Url);
        Assert.Contains("No valid mirrors were found", Fails($"url=mirrorlist={lists.Url}list"));
    }

    [Fact]
    public void Content_may_be_elsewhere()
    {
        Succeeds($"url={server.Url}\ncontenturl={other.Url}");
        Assert.DoesNotContain(server.Requests, path => path.StartsWith("objects/") && !path.EndsWith(".commitmeta"));
        Assert.Contains(source.NoisePath, other.Requests);
        server.Forget();
        Tool.Run("rm", "-rf", scratch["repo"]).Ok();
        // On a disk that came by post, say.
        Succeeds($"url={server.Url}\ncontenturl=file://{source.Path}");
        Assert.DoesNotContain(server.Requests, path => path.StartsWith("objects/") && !path.EndsWith(".commitmeta"));
        Tool.Run("rm", "-rf", scratch["repo"]).Ok();
        Assert.Contains($"file://{scratch["empty"]}/objects/", Fails($"url={server.Url}\ncontenturl=file://{scratch["empty"]}"));
    }

    [Fact]
    public void A_proxy_is_asked_for_whole_addresses_and_given_its_password()
    {
        using TestServer proxy = new(exchange =>
        {
            if (!exchange.Headers.TryGetValue("Proxy-Authorization", out string? given) || given != "Basic " + Convert.ToBase64String("me:pw"u8))
            {
                exchange.Respond(407, null, ("Proxy-Authenticate", "Basic realm=\"proxy\""));
                return;
            }
            string path = new Uri(exchange.Target).AbsolutePath.TrimStart('/');
            if (File.Exists(Path.Combine(source.Path, path)))
                exchange.Respond(200, source.Read(path));
            else
                exchange.Respond(404);
        });
        Succeeds($"url=http://os.example.org/\nproxy=http://me:pw@{proxy.Host}");
        Assert.Contains(proxy.Requests, exchange => exchange.Target == "http://os.example.org/" + source.NoisePath);
    }

    [Theory]
    [InlineData("proxy:3128", "", "http://os.example.org/", "http://proxy:3128/")]
    [InlineData("http://proxy", "", "http://os.example.org/", "http://proxy:1080/")]
    [InlineData("http://proxy:80", "", "http://os.example.org/", "http://proxy/")]
    [InlineData("socks5://proxy:9050", "", "https://os.example.org/", "socks5://proxy:9050/")]
    [InlineData("proxy:3128", "other.org, example.org", "http://os.example.org/", null)]
    [InlineData("proxy:3128", ".example.org", "http://OS.example.org/", null)]
    [InlineData("proxy:3128", "ple.org", "http://os.example.org/", "http://proxy:3128/")]
    [InlineData("proxy:3128", "*", "http://os.example.org/", null)]
    [InlineData("proxy:3128", "127.0.0.1", "http://127.0.0.1:8080/", null)]
    public void A_proxy_is_taken_for_all_but_those_that_need_none(string proxy, string noProxy, string address, string? expected) =>
        Assert.Equal(expected, RemoteProxy.Parse(proxy, noProxy)!.GetProxy(new Uri(address))?.ToString());

    [Theory]
    [InlineData("ftp://proxy")]
    [InlineData("http://")]
    [InlineData("a b")]
    public void What_is_no_proxy_is_said_to_be_none(string proxy) => Assert.Contains($"Invalid proxy '{proxy}'", Fails($"url={server.Url}\nproxy={proxy}"));
}
