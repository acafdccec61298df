using System.Net.Sockets;
using System.Text;

namespace OciOstree.Testing;

/// <summary>One request that a <see cref="TestServer"/> received, and the socket to answer it on, well or badly.</summary>
public sealed class HttpExchange
{
    private readonly NetworkStream stream;

    private HttpExchange(NetworkStream stream, string method, string target, IReadOnlyDictionary<string, string> headers, byte[] body)
    {
        this.stream = stream;
        Method = method;
        Target = target;
        Headers = headers;
        Body = body;
    }

    public string Method { get; }

    /// <summary>Path and query as sent.</summary>
    public string Target { get; }

    public string Path => Target.Split('?')[0];

    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>All of it, or what came before the connection broke.</summary>
    public byte[] Body { get; }

    /// <summary>Set when the connection must not be used again.</summary>
    public bool IsClosed { get; private set; }

    public string? Query(string name)
    {
        string query = Target.Contains('?') ? Target[(Target.IndexOf('?') + 1)..] : "";
        string? pair = query.Split('&').FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.Ordinal));
        return pair is null ? null : Uri.UnescapeDataString(pair[(name.Length + 1)..]);
    }

    public void Respond(int status, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        body ??= [];
        byte[] head = HeadBytes(status, [("Content-Length", body.Length.ToString()), .. headers]);
        // In one piece: a second one would wait for a client that is in no hurry to acknowledge the first.
        Raw(Method != "HEAD" ? [.. head, .. body] : head);
    }

    /// <summary>Status line and headers only.</summary>
    public void Head(int status, params (string Name, string Value)[] headers) => Raw(HeadBytes(status, headers));

    private static byte[] HeadBytes(int status, (string Name, string Value)[] headers)
    {
        var text = new StringBuilder($"HTTP/1.1 {status} Status\r\n");
        foreach ((string name, string value) in headers)
            text.Append($"{name}: {value}\r\n");
        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }

    public void Raw(ReadOnlySpan<byte> bytes) => stream.Write(bytes);

    /// <summary>Ends the connection here.</summary>
    public void Close()
    {
        IsClosed = true;
        stream.Close();
    }

    /// <param name="stream">To answer on.</param>
    /// <param name="input">The same, buffered.</param>
    /// <param name="breakBodyAt">As <see cref="TestServer.BreakBodyAt"/>.</param>
    internal static HttpExchange? Read(NetworkStream stream, Stream input, Func<string, string, int?>? breakBodyAt)
    {
        var head = new List<byte>();
        while (head.Count < 4 || head[^4] != '\r' || head[^3] != '\n' || head[^2] != '\r' || head[^1] != '\n')
        {
            int next = input.ReadByte();
            // 0x16 begins a TLS handshake: a plain server hangs up on it.
            if (next < 0 || (head.Count == 0 && next == 0x16))
                return null;
            head.Add((byte)next);
        }
        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] words = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToLookup(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => string.Join(", ", g), StringComparer.OrdinalIgnoreCase);
        int length = headers.TryGetValue("Content-Length", out string? value) ? int.Parse(value) : 0;
        int? stopAt = breakBodyAt?.Invoke(words[0], words[1]);
        byte[] body = new byte[Math.Min(length, stopAt ?? length)];
        input.ReadExactly(body);
        var exchange = new HttpExchange(stream, words[0], words[1], headers, body);
        if (body.Length < length)
            exchange.Close();
        return exchange;
    }
}
