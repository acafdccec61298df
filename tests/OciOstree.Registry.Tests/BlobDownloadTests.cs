using System.Diagnostics;
using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

public class BlobDownloadTests : RegistryTest
{
    private readonly byte[] blob = Noise(300_000);

    public BlobDownloadTests() => Fake.AddBlob(Repository, blob);

    [Fact]
    public void Delivers_what_is_there() => Assert.Equal(blob, Fetch(blob));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Takes_up_a_broken_connection_where_it_broke(bool knowsRanges)
    {
        Fake.KnowsRanges = knowsRanges;
        var breaks = 0;
        Fake.Intercept = exchange =>
        {
            if (breaks++ >= 3)
            {
                return false;
            }

            var from = knowsRanges && exchange.Headers.TryGetValue("Range", out var range) ? int.Parse(range["bytes=".Length..^1]) : 0;
            exchange.Head(from > 0 ? 206 : 200, ("Content-Length", $"{blob.Length - from}"), ("Content-Range", $"bytes {from}-{blob.Length - 1}/{blob.Length}"));
            exchange.Raw(blob.AsSpan(from, breaks * 20_000));
            exchange.Close();
            return true;
        };
        Assert.Equal(blob, Fetch(blob));
        Assert.Equal(4, Blobs().Count);
        Assert.All(Blobs().Skip(1), e => Assert.StartsWith("bytes=", e.Headers["Range"]));
    }

    [Fact]
    public void Gives_up_on_a_connection_that_keeps_breaking()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Content-Length", $"{blob.Length}"));
            exchange.Raw(blob.AsSpan(0, 10));
            exchange.Close();
            return true;
        };
        Fake.KnowsRanges = false;
        var message = FailToFetch(blob);
        Assert.Contains("after 4 tries", message);
        Assert.Contains("127.0.0.1", message);
        Assert.Equal(4, Blobs().Count);
    }

    [Fact]
    public void A_server_cannot_hold_us_by_saying_nothing()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Content-Length", $"{blob.Length}"));
            exchange.Raw(blob.AsSpan(0, 10));
            Over.Wait(TimeSpan.FromMinutes(1));
            return true;
        };
        Options = Impatient;
        Assert.Contains("timed out", FailToFetch(blob));
    }

    [Fact]
    public void A_server_cannot_hold_us_by_saying_little()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Content-Length", $"{blob.Length}"));
            for (var i = 0; i < 600 && !Over.Wait(100); i++)
            {
                exchange.Raw(blob.AsSpan(i, 1));
            }

            return true;
        };
        Options = Impatient;
        Assert.Contains("stalled", FailToFetch(blob));
    }

    [Fact]
    public void A_server_cannot_hold_us_with_headers()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Raw("HTTP/1.1 200 OK\r\n"u8);
            for (var i = 0; i < 600 && !Over.Wait(100); i++)
            {
                exchange.Raw("X: y\r\n"u8);
            }

            return true;
        };
        Options = Impatient;
        Assert.Contains("timed out", FailToFetch(blob));
    }

    [Fact]
    public void Other_bytes_of_the_same_length_are_refused()
    {
        var other = (byte[])blob.Clone();
        other[^1] ^= 1;
        Fake.Blobs[$"{Repository}@{FakeRegistry.DigestOf(blob)}"] = other;
        Assert.Contains("does not have this digest", FailToFetch(blob));
    }

    [Theory]
    [InlineData(299_999)]
    [InlineData(300_001)]
    [InlineData(0)]
    [InlineData(9_000_000_000_000_000_000)]
    public void A_content_length_that_lies_is_refused_before_the_body(long length)
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Content-Length", $"{length}"));
            exchange.Close();
            return true;
        };
        var message = FailToFetch(blob);
        Assert.Contains($"{length} bytes, its manifest says 300000", message);
        Assert.Single(Blobs());
    }

    [Fact]
    public void A_body_without_length_that_does_not_end_is_cut_off()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Connection", "close"));
            for (var i = 0; i < 100; i++)
            {
                exchange.Raw(blob);
            }

            exchange.Close();
            return true;
        };
        Assert.Contains("larger than its 300000 bytes", FailToFetch(blob));
    }

    [Fact]
    public void A_range_that_begins_elsewhere_is_refused()
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Headers.ContainsKey("Range"))
            {
                exchange.Respond(206, blob[5..], ("Content-Range", $"bytes 5-{blob.Length - 1}/{blob.Length}"));
                return true;
            }

            exchange.Head(200, ("Content-Length", $"{blob.Length}"));
            exchange.Raw(blob.AsSpan(0, 10));
            exchange.Close();
            return true;
        };
        Assert.Contains("asked for byte 10, got byte 5", FailToFetch(blob));
    }

    [Fact]
    public void A_missing_blob_is_said_to_be_so_at_once()
    {
        var message = FailToFetch(Noise(5));
        Assert.Contains("404 not found (blob unknown)", message);
        Assert.Contains(Fake.Host, message);
    }

    [Fact]
    public void Redirects_are_followed_without_credentials()
    {
        using var elsewhere = new TestServer(exchange => exchange.Respond(200, blob));
        Options = Options with { Anonymous = false, Credential = new RegistryCredential { Username = "u", Password = "secret" } };
        Fake.Intercept = exchange =>
        {
            if (exchange.Path == "/v2/")
            {
                return false;
            }

            if (!exchange.Headers.ContainsKey("Authorization"))
            {
                exchange.Respond(401, null, ("WWW-Authenticate", "Basic realm=\"x\""));
                return true;
            }

            exchange.Respond(307, null, ("Location", $"http://{elsewhere.Host}/cdn?signature=abc"));
            return true;
        };
        Assert.Equal(blob, Fetch(blob));
        var request = Assert.Single(elsewhere.Requests);
        Assert.False(request.Headers.ContainsKey("Authorization"));
        Assert.Equal("/cdn?signature=abc", request.Target);
    }

    [Fact]
    public void Redirects_end()
    {
        var hops = 0;
        Fake.Intercept = exchange =>
        {
            if (exchange.Path == "/v2/")
            {
                return false;
            }

            exchange.Respond(302, null, ("Location", $"/again/{hops++}"));
            return true;
        };
        Assert.Contains("redirects more than 10 times", FailToFetch(blob));
        Assert.Equal(11, hops);
    }

    [Theory]
    [InlineData("file:///etc/shadow")]
    [InlineData("ftp://127.0.0.1/x")]
    public void Redirects_lead_to_the_web_only(string target)
    {
        Fake.Intercept = exchange =>
        {
            exchange.Respond(302, null, ("Location", target));
            return true;
        };
        Assert.Contains("not secure", FailToFetch(blob));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void Trouble_that_may_pass_is_tried_again(int status)
    {
        var tries = 0;
        Fake.Intercept = exchange =>
        {
            if (exchange.Path == "/v2/" || ++tries > 2)
            {
                return false;
            }

            exchange.Respond(status, null, ("Retry-After", "0"));
            return true;
        };
        Assert.Equal(blob, Fetch(blob));
        Assert.Equal(3, tries);
    }

    [Fact]
    public void Retry_after_is_honoured()
    {
        var tries = 0;
        Fake.Intercept = exchange =>
        {
            if (exchange.Path == "/v2/" || ++tries > 1)
            {
                return false;
            }

            exchange.Respond(429, null, ("Retry-After", "1"));
            return true;
        };
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(blob, Fetch(blob));
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromSeconds(0.9));
    }

    [Fact]
    public void A_wait_of_hours_is_not_waited_for()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Respond(429, Bytes("""{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit\nreached"}]}"""), ("Retry-After", "7200"));
            return true;
        };
        Assert.Contains("429 too many requests (pull rate limit reached)", FailToFetch(blob));
    }

    [Fact]
    public void Cancelling_ends_a_read_that_waits()
    {
        Fake.Intercept = exchange =>
        {
            exchange.Head(200, ("Content-Length", $"{blob.Length}"));
            Over.Wait(TimeSpan.FromMinutes(1));
            return true;
        };
        Options = Options with { StallTimeout = TimeSpan.FromMinutes(2) };
        using var stop = new CancellationTokenSource();
        using var source = Images.OpenSource(Image, Options);
        using var stream = source.OpenBlob(Describe(blob), stop.Token);
        stop.CancelAfter(200);
        Assert.ThrowsAny<OperationCanceledException>(() => ReadAll(stream));
    }

    private List<HttpExchange> Blobs() => [.. Fake.Server.Requests.Where(e => e.Path.Contains("/blobs/"))];
}
