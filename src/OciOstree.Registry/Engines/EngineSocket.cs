using System.Net;
using System.Net.Sockets;

namespace OciOstree.Registry.Engines;

/// <summary>The API of a Docker-compatible daemon (docker's, or podman's) on its Unix socket or at its TCP address.</summary>
internal sealed class EngineSocket : IDisposable
{
    private const string Api = "/v1.24";
    private const int ErrorLimit = 64 << 10;
    private readonly HttpClient client;
    private readonly string place;

    private EngineSocket(HttpClient client, string place)
    {
        this.client = client;
        this.place = place;
    }

    /// <summary>Finds the daemon: <c>DOCKER_HOST</c>, else docker's socket, else podman's.</summary>
    internal static EngineSocket Open()
    {
        var host = Environment.GetEnvironmentVariable("DOCKER_HOST");
        if (string.IsNullOrEmpty(host))
        {
            var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
            string[] sockets = ["/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", $"{runtime}/podman/podman.sock"];
            host = "unix://" + (Array.Find(sockets, File.Exists)
                ?? throw new RegistryException("no container daemon: neither docker's nor podman's socket is there, and DOCKER_HOST is not set"));
        }

        if (host.StartsWith("unix://", StringComparison.Ordinal))
        {
            var path = host["unix://".Length..];
            return new EngineSocket(Make((_, _) => ConnectUnix(path), "http://localhost"), path);
        }

        if (Uri.TryCreate(host, UriKind.Absolute, out var address) && address.Scheme is "tcp" or "http")
        {
            return new EngineSocket(Make(null, $"http://{address.Authority}"), address.Authority);
        }

        throw new RegistryException($"DOCKER_HOST is '{Printable.Clip(host)}': want unix://PATH or tcp://HOST:PORT");
    }

    /// <summary>An image as a docker archive.</summary>
    internal void Save(string name, SpoolFile archive, CancellationToken cancellationToken)
    {
        using var response = Send(new HttpRequestMessage(HttpMethod.Get, $"{Api}/images/{Uri.EscapeDataString(name)}/get"), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new RegistryException($"{place}: no image '{Printable.Clip(name)}'");
        }

        Require(response, $"saving '{Printable.Clip(name)}'");
        using var cancelled = cancellationToken.Register(response.Dispose);
        using var content = response.Content.ReadAsStream(cancellationToken);
        archive.AppendAll(content, cancellationToken);
    }

    /// <summary>Gives the daemon the images of a docker archive.</summary>
    internal void Load(SpoolFile archive, CancellationToken cancellationToken)
    {
        var content = new Http.BlobContent(() => archive.OpenRead(), 0, archive.Length);
        content.Headers.ContentType = new("application/x-tar");
        using var response = Send(new HttpRequestMessage(HttpMethod.Post, $"{Api}/images/load?quiet=1") { Content = content }, cancellationToken);
        Require(response, "loading an image");

        // The daemon reports a failure in the body of a success.
        var said = ReadSome(response);
        if (said.Contains("\"error\"", StringComparison.Ordinal))
        {
            throw new RegistryException($"{place}: loading an image: {Printable.Clip(said.Trim())}");
        }
    }

    public void Dispose() => client.Dispose();

    private static HttpClient Make(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect, string root)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (connect is not null)
        {
            handler.ConnectCallback = connect;
        }

        return new HttpClient(handler) { BaseAddress = new Uri(root), Timeout = Timeout.InfiniteTimeSpan };
    }

    private static ValueTask<Stream> ConnectUnix(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new ValueTask<Stream>(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string ReadSome(HttpResponseMessage response)
    {
        using var stream = response.Content.ReadAsStream();
        var buffer = new byte[ErrorLimit];
        var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, length);
    }

    private HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using (request)
            {
                return client.Send(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            }
        }
        catch (HttpRequestException e)
        {
            throw new RegistryException($"{place}: {Http.HttpReason.Of(e)}");
        }
    }

    private void Require(HttpResponseMessage response, string what)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new RegistryException($"{place}: {what}: {(int)response.StatusCode} {Printable.Clip(ReadSome(response).Trim())}");
        }
    }
}
