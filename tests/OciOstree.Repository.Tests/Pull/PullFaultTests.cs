using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace OciOstree.Repository.Tests;

/// <summary>
/// Servers that stall, lie, babble or lead astray: a pull from them ends with one line that says so, leaves nothing that could be seen,
/// and the next one takes up what was good.
/// </summary>
public sealed class PullFaultTests : IDisposable, IClassFixture<SmallSource>
{
    private readonly ScratchDirectory scratch = new("pull-fault");
    private readonly SmallSource source;
    private readonly RepoServer server;
    private readonly Repo repo;
    private readonly ManualResetEventSlim over = new();

    public PullFaultTests(SmallSource source)
    {
        this.source = source;
        server = new RepoServer(source.Path);
        repo = New("repo", $"url={server.Url}");
    }

    public void Dispose()
    {
        over.Set();
        repo.Dispose();
        server.Dispose();
        scratch.Dispose();
    }

    private Repo New(string name, string options) => TransactionTests.New(scratch, RepoMode.BareUser, name, $"[remote \"origin\"]\ngpg-verify=false\n{options}\n");

    private static RemotePullOptions Options => new() { Refs = ["main"], Retries = 0, LowSpeedTime = TimeSpan.FromSeconds(1) };

    private void Pull(RemotePullOptions? options = null) => RemotePull.Run(repo, "origin", options ?? Options);

    /// <summary>The line that a user sees of a pull that fails.</summary>
    private string Fails(RemotePullOptions? options = null)
    {
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => Pull(options));
        Assert.Empty(repo.ListObjects());
        Assert.Empty(repo.ListRefs());
        StringBuilder line = new(e.Message);
        for (Exception? inner = e.InnerException; inner is not null; inner = inner.InnerException)
            line.Append(": ").Append(inner.Message);
        Assert.DoesNotContain('\n', line.ToString());
        return line.ToString();
    }

    private string FailsAt(string path, Action<HttpExchange> answer, RemotePullOptions? options = null)
    {
        server.Fault = (asked, exchange) =>
        {
            if (asked != path)
                return false;
            answer(exchange);
            return true;
        };
        string line = Fails(options);
        Assert.Contains(server.Url + path, line);
        server.Fault = static (_, _) => false;
        server.Forget();
        Pull();
        Assert.Equal(source.Commit, repo.ResolveRef("origin:main"));
        Assert.Equal(repo.Traverse(source.Commit), repo.ListObjects().ToHashSet());
        return line;
    }

    private void Hang(HttpExchange exchange)
    {
        over.Wait();
        exchange.Close();
    }

    [Theory]
    [InlineData("before the answer", "no answer for 1 seconds")]
    [InlineData("within the headers", "no answer for 1 seconds")]
    [InlineData("within the body", "Less than 1000 bytes a second for 1 seconds")]
    public void A_server_that_stalls_is_given_up(string where, string reason)
    {
        Assert.Contains(reason, FailsAt(source.NoisePath, exchange =>
        {
            if (where == "within the headers")
                exchange.Raw("HTTP/1.1 200 OK\r\nContent-Le"u8);
            if (where == "within the body")
            {
                exchange.Head(200, ("Content-Length", "600000"));
                exchange.Raw(source.Read(source.NoisePath).AsSpan(0, 1000));
            }
            Hang(exchange);
        }));
        Assert.Contains(source.NoisePath, server.Requests);
        Assert.DoesNotContain(source.TreePath, server.Requests);
    }

    [Theory]
    [InlineData("header")]
    [InlineData("body")]
    public void A_server_that_drips_is_given_up(string what)
    {
        Assert.Contains("1 seconds", FailsAt(source.NoisePath, exchange =>
        {
            exchange.Raw("HTTP/1.1 200 OK\r\n"u8);
            if (what == "body")
                exchange.Raw("Content-Length: 600000\r\n\r\n"u8);
            byte[] whole = source.Read(source.NoisePath);
            for (int i = 0; !over.Wait(50); i++)
                exchange.Raw(what == "body" ? whole.AsSpan(i, 1) : Encoding.ASCII.GetBytes($"X-{i}: y\r\n"));
        }));
    }

    [Fact]
    public void Data_without_end_is_cut_off()
    {
        long sent = 0;
        Assert.Contains($"exceeded maximum of {Repo.MaxMetadataSize} bytes", FailsAt(source.TreePath, exchange => Babble(exchange, [], ref sent)));
        Assert.InRange(sent, 0, Repo.MaxMetadataSize + (64L << 20));
        // What a file says of its own length bounds what may come.
        sent = 0;
        RemotePullOptions small = Options;
        using Repo other = New("other", $"url={server.Url}");
        byte[] start = source.Read(source.NoisePath)[..2000];
        server.Fault = (path, exchange) =>
        {
            if (path != source.NoisePath)
                return false;
            Babble(exchange, start, ref sent);
            return true;
        };
        Assert.Contains("exceeded maximum of", Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(other, "origin", small)).InnerException!.Message);
        Assert.InRange(sent, 600_000, 64L << 20);
        Assert.Empty(other.ListObjects());
    }

    private static void Babble(HttpExchange exchange, byte[] start, ref long sent)
    {
        exchange.Head(200, ("Connection", "close"));
        exchange.Raw(start);
        byte[] zeros = new byte[1 << 20];
        for (; ; sent += zeros.Length)
            exchange.Raw(zeros);
    }

    [Fact]
    public void What_is_announced_as_too_long_is_not_fetched()
    {
        Assert.Contains($"exceeded maximum of {Repo.MaxMetadataSize} bytes", FailsAt(source.TreePath, exchange =>
        {
            exchange.Head(200, ("Content-Length", "99999999999"));
            Hang(exchange);
        }, Options with { LowSpeedTime = TimeSpan.Zero }));
    }

    [Fact]
    public void A_file_that_unfolds_to_more_than_it_says_is_refused()
    {
        byte[] whole = source.Read(source.NoisePath);
        int start = 8 + (int)BinaryPrimitives.ReadUInt32BigEndian(whole);
        using MemoryStream bomb = new();
        bomb.Write(whole.AsSpan(0, start));
        using (DeflateStream deflate = new(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
            for (int i = 0; i < 64; i++)
                deflate.Write(new byte[1 << 20]);
        Assert.InRange(bomb.Length, 0, 500_000);
        Assert.Contains(source.Noise.ToString(), FailsAt(source.NoisePath, exchange => exchange.Respond(200, bomb.ToArray())));
    }

    [Fact]
    public void A_file_that_cannot_fit_is_not_fetched()
    {
        byte[] whole = source.Read(source.NoisePath);
        BinaryPrimitives.WriteUInt64BigEndian(whole.AsSpan(8), 1UL << 60);
        server.Fault = (path, exchange) =>
        {
            if (path != source.NoisePath)
                return false;
            exchange.Head(200);
            exchange.Raw(whole);
            Hang(exchange);
            return true;
        };
        Assert.Contains("min-free-space", Fails(Options with { LowSpeedTime = TimeSpan.Zero }));
    }

    [Theory]
    [InlineData("shorter", "checksum")]
    [InlineData("longer", "Transferred a partial file")]
    [InlineData("chunks", "While fetching")]
    [InlineData("headers", "headers length exceeded")]
    [InlineData("nonsense", "While fetching")]
    [InlineData("nothing", "While fetching")]
    [InlineData("page", "checksum")]
    public void A_server_that_lies_is_found_out(string how, string reason)
    {
        byte[] whole = source.Read(source.TreePath);
        Assert.Contains(reason, FailsAt(source.TreePath, exchange =>
        {
            switch (how)
            {
                case "shorter":
                    exchange.Respond(200, whole[..^3]);
                    break;
                case "longer":
                    exchange.Head(200, ("Content-Length", $"{whole.Length + 1}"));
                    exchange.Raw(whole);
                    break;
                case "chunks":
                    exchange.Head(200, ("Transfer-Encoding", "chunked"));
                    exchange.Raw("5\r\nabcdefgh\r\nzzzz\r\n"u8);
                    break;
                case "headers":
                    exchange.Raw("HTTP/1.1 200 OK\r\n"u8);
                    for (int i = 0; i < 100_000; i++)
                        exchange.Raw(Encoding.ASCII.GetBytes($"X-Flood-{i}: {new string('x', 500)}\r\n"));
                    break;
                case "nonsense":
                    exchange.Raw("220 mail.example.org ESMTP\r\n\r\n"u8);
                    break;
                case "page":
                    exchange.Respond(200, "<html>Please log in.</html>"u8.ToArray(), ("Content-Type", "text/html"));
                    break;
            }
            exchange.Close();
        }), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_page_in_place_of_a_ref_is_shown()
    {
        server.Fault = (path, exchange) =>
        {
            if (path != "refs/heads/main")
                return false;
            exchange.Respond(200, "<html>Please log in.</html>"u8.ToArray());
            return true;
        };
        Assert.Contains("Invalid rev <html>Please log in.</html>", Fails());
    }

    [Theory]
    [InlineData(404, true, 1)]
    [InlineData(403, true, 1)]
    [InlineData(410, true, 1)]
    [InlineData(401, true, 1)]
    [InlineData(500, true, 3)]
    [InlineData(503, true, 3)]
    [InlineData(429, true, 3)]
    [InlineData(408, true, 3)]
    [InlineData(503, false, 1)]
    public void A_refusal_is_asked_about_again_if_it_may_pass(int status, bool retryAll, int times)
    {
        int asked = 0;
        string line = FailsAt(source.TreePath, exchange =>
        {
            asked++;
            exchange.Respond(status, "a page that explains"u8.ToArray());
        }, Options with { Retries = 2, RetryAll = retryAll });
        Assert.Equal(times, asked);
        // Stores that may not be listed say 403 of what they lack, and others say more than that a file is not there.
        Assert.EndsWith($"Server returned HTTP {(status is 403 or 410 ? 404 : status)}", line);
    }

    [Fact]
    public void A_long_file_is_fetched_over_as_many_connections_as_it_takes()
    {
        using ScratchDirectory large = new("pull-large");
        byte[] noise = new byte[9 << 20];
        new Random(8).NextBytes(noise);
        File.WriteAllBytes(Path.Combine(large.MakeDirectory("tree"), "noise"), noise);
        Checksum commit = Ostree.Commit(Ostree.Init(large["source"], RepoMode.Archive), large["tree"], "main");
        using RepoServer flaky = new(large["source"]);
        flaky.Fault = (path, exchange) =>
        {
            FileInfo file = new(large["source/" + path]);
            if (!file.Exists || file.Length < noise.Length)
                return false;
            int from = exchange.Headers.TryGetValue("Range", out string? range) ? int.Parse(range["bytes=".Length..^1]) : 0;
            byte[] rest = File.ReadAllBytes(file.FullName)[from..];
            exchange.Head(from > 0 ? 206 : 200, ("Content-Length", $"{rest.Length}"), ("Content-Range", $"bytes {from}-{file.Length - 1}/{file.Length}"));
            exchange.Raw(rest.AsSpan(0, Math.Min(rest.Length, 5 << 18)));
            exchange.Close();
            return true;
        };
        using Repo target = New("large", $"url={flaky.Url}");
        RemotePull.Run(target, "origin", Options with { Retries = 1 });
        Assert.Equal(target.Traverse(commit), target.ListObjects().ToHashSet());
    }

    [Fact]
    public void Nobody_listening_is_said_plainly()
    {
        server.Dispose();
        Assert.EndsWith("Connection refused", Fails());
        using Repo nowhere = New("nowhere", "url=http://nowhere.invalid/repo");
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => RemotePull.Run(nowhere, "origin", Options));
        Assert.Equal("While fetching http://nowhere.invalid/repo/summary.sig", e.Message);
        Assert.DoesNotContain("An error occurred while sending the request", e.InnerException!.Message);
    }

    [Theory]
    [InlineData("answer")]
    [InlineData("body")]
    [InlineData("retry")]
    public void An_interrupt_ends_whatever_is_waited_for(string what)
    {
        using CancellationTokenSource interrupt = new();
        server.Fault = (path, exchange) =>
        {
            if (path != source.NoisePath)
                return false;
            if (what == "retry")
                exchange.Respond(503);
            if (what == "body")
            {
                exchange.Head(200, ("Content-Length", "600000"));
                exchange.Raw(source.Read(path).AsSpan(0, 1000));
            }
            interrupt.CancelAfter(what == "retry" ? 500 : 100);
            if (what != "retry")
                Hang(exchange);
            return true;
        };
        // Whoever waits until patience ends fails otherwise.
        Assert.ThrowsAny<OperationCanceledException>(() => RemotePull.Run(repo, "origin", Options with { LowSpeedTime = TimeSpan.FromSeconds(60), Retries = 1000 }, interrupt.Token));
        Assert.Empty(repo.ListObjects());
        Assert.Empty(repo.ListRefs());
        server.Fault = static (_, _) => false;
        server.Forget();
        Pull();
        Assert.DoesNotContain(source.TreePath, server.Requests);
        Assert.Equal(repo.Traverse(source.Commit), repo.ListObjects().ToHashSet());
    }
}
