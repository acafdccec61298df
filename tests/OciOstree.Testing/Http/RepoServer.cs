using System.Globalization;

namespace OciOstree.Testing;

/// <summary>A web server on loopback for a directory, with ranges and conditional requests, and with faults on request.</summary>
public sealed class RepoServer : IDisposable
{
    private readonly TestServer server;
    private readonly string root;

    public RepoServer(string root)
    {
        this.root = root;
        server = new TestServer(Answer);
        Url = $"http://{server.Host}/";
    }

    /// <summary>The directory's address, with a slash at its end.</summary>
    public string Url { get; }

    /// <summary>Called before a file is served, with its path; true says that the answer has been given.</summary>
    public Func<string, HttpExchange, bool> Fault { get; set; } = static (_, _) => false;

    /// <summary>Whether files have an entity tag; their time of change they always have.</summary>
    public bool SendsTags { get; set; } = true;

    /// <summary>The paths that were asked for since the last <see cref="Forget"/>.</summary>
    public IReadOnlyList<string> Requests => [.. server.Requests.Select(PathOf)];

    /// <summary>The requests themselves.</summary>
    public IReadOnlyList<HttpExchange> Exchanges => [.. server.Requests];

    public void Forget() => server.Requests.Clear();

    public void Dispose() => server.Dispose();

    private static string PathOf(HttpExchange exchange) => Uri.UnescapeDataString(exchange.Path.TrimStart('/'));

    private void Answer(HttpExchange exchange)
    {
        string path = PathOf(exchange);
        if (Fault(path, exchange))
            return;
        FileInfo file = new(Path.Combine(root, path));
        if (!file.Exists)
        {
            exchange.Respond(404);
            return;
        }
        byte[] bytes = File.ReadAllBytes(file.FullName);
        string tag = $"\"{file.LastWriteTimeUtc.Ticks:x}-{bytes.Length:x}\"", changed = file.LastWriteTimeUtc.ToString("R", CultureInfo.InvariantCulture);
        (string, string)[] headers = SendsTags ? [("ETag", tag), ("Last-Modified", changed)] : [("Last-Modified", changed)];
        if (exchange.Headers.TryGetValue("If-None-Match", out string? known) ? known == tag
            : exchange.Headers.TryGetValue("If-Modified-Since", out string? since) && DateTime.Parse(since, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal) >= file.LastWriteTimeUtc.AddSeconds(-1))
        {
            exchange.Head(304, headers);
            return;
        }
        if (exchange.Headers.TryGetValue("Range", out string? range))
        {
            int from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            exchange.Respond(206, bytes[from..], [.. headers, ("Content-Range", $"bytes {from}-{bytes.Length - 1}/{bytes.Length}")]);
            return;
        }
        exchange.Respond(200, bytes, headers);
    }
}
