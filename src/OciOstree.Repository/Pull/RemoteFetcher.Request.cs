using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OciOstree.Repository;

internal sealed partial class RemoteFetcher
{
    // An answer that has not begun after so long will not come.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>One download, over as many attempts and servers as it takes.</summary>
    private sealed class Transfer(DownloadedObject target)
    {
        public DownloadedObject Target => target;

        /// <summary>Whether two answers may be put together: only what is named by its content cannot have changed in between.</summary>
        public bool Resumes { get; init; }

        public RemoteFileStamp? Known { get; init; }

        /// <summary>Told after each part that came.</summary>
        public Action<DownloadedObject>? Arrived { get; init; }

        public RemoteFileStamp Stamp { get; set; }

        public bool Unchanged { get; set; }
    }

    private static HttpClient Connect(Repo repo, Remote remote, RemotePullOptions options)
    {
        SocketsHttpHandler handler = new()
        {
            MaxConnectionsPerServer = options.Connections,
            ConnectTimeout = Patience,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            MaxAutomaticRedirections = 20,
            UseCookies = false,
            ConnectCallback = Open,
        };
        try
        {
            ConfigureTls(handler, remote);
            if (remote.Get("proxy") is { Length: > 0 } proxy)
                handler.Proxy = Uri.TryCreate(proxy.Contains("://", StringComparison.Ordinal) ? proxy : "http://" + proxy, UriKind.Absolute, out Uri? address)
                    ? new WebProxy(address) : throw new RepositoryException($"Invalid proxy '{proxy}' of remote \"{remote.Name}\"");
            // The container and not a header, for a redirection must not carry them to another host.
            if (new CookieJar(repo, remote.Name).Load() is { } cookies)
                (handler.UseCookies, handler.CookieContainer) = (true, cookies);
            return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        }
        catch
        {
            handler.Dispose();
            throw;
        }
    }

    // A socket that has connected without blocking never blocks again, and each wait for an answer would be two changes of threads.
    private static ValueTask<Stream> Open(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using CancellationTokenRegistration timeout = cancellation.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), socket);
            socket.Connect(context.DnsEndPoint);
            return ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
        }
        catch (Exception e)
        {
            socket.Dispose();
            cancellation.ThrowIfCancellationRequested();
            return ValueTask.FromException<Stream>(e);
        }
    }

    private static void ConfigureTls(SocketsHttpHandler handler, Remote remote)
    {
        SslClientAuthenticationOptions tls = handler.SslOptions;
        if (remote.Flag("tls-permissive", false))
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        try
        {
            if (remote.Get("tls-ca-path") is { } authorities)
            {
                X509Certificate2Collection trusted = [];
                trusted.ImportFromPemFile(authorities);
                tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                tls.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
            }
            string? certificate = remote.Get("tls-client-cert-path"), key = remote.Get("tls-client-key-path");
            if ((certificate is null) != (key is null))
                throw new RepositoryException($"Remote \"{remote.Name}\" must specify both \"tls-client-cert-path\" and \"tls-client-key-path\"");
            if (certificate is not null)
                tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate, key)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RepositoryException($"Reading the certificates of remote \"{remote.Name}\"", e);
        }
    }

    private bool Once(Uri address, Transfer transfer)
    {
        long at = transfer.Resumes ? transfer.Target.Length : 0;
        using HttpRequestMessage request = Request(address, at, transfer.Known);
        using TransferWatch.Watched stalled = watch.Begin(Patience);
        HttpResponseMessage response;
        try
        {
            response = client.Send(request, HttpCompletionOption.ResponseHeadersRead, stalled.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"no answer for {Patience.TotalSeconds} seconds");
        }
        using (response)
        {
            // Stores that may not be listed answer 403 for what is not there.
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.Forbidden)
                return false;
            if (response.StatusCode == HttpStatusCode.NotModified && transfer.Known is { } known)
            {
                (transfer.Unchanged, transfer.Stamp) = (true, known);
                return true;
            }
            // All had come and the end of it was lost; or the server has another file than before.
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && at > 0)
            {
                transfer.Target.Restart();
                throw new IOException("Server returned HTTP 416");
            }
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"Server returned HTTP {(int)response.StatusCode}", null, response.StatusCode);
            if (at == 0 || response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From is { } from && from != at)
            {
                if (response.StatusCode == HttpStatusCode.PartialContent)
                    throw new IOException("Server returned another part than was asked for");
                transfer.Target.Restart();
                transfer.Target.Expect(response.Content.Headers.ContentLength ?? 0);
            }
            transfer.Stamp = new RemoteFileStamp(response.Headers.ETag?.ToString(), response.Content.Headers.LastModified?.ToUnixTimeSeconds() ?? 0);
            Receive(response, stalled, transfer);
        }
        return true;
    }

    private HttpRequestMessage Request(Uri address, long at, RemoteFileStamp? known)
    {
        HttpRequestMessage request = new(HttpMethod.Get, WithoutUser(address));
        request.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent + (options.UserAgentSuffix is { } suffix ? " " + suffix : ""));
        if (address.UserInfo.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo))));
        foreach ((string name, string value) in options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (at > 0)
            request.Headers.TryAddWithoutValidation("Range", $"bytes={at}-");
        if (known is { ETag: { } tag })
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (known is { LastModified: > 0 and var seconds } && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            request.Headers.TryAddWithoutValidation("If-Modified-Since", DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("R", CultureInfo.InvariantCulture));
        return request;
    }

    private void Receive(HttpResponseMessage response, TransferWatch.Watched stalled, Transfer transfer)
    {
        // Disposing the response is what ends a read that hangs.
        using CancellationTokenRegistration registration = stalled.Token.UnsafeRegister(static response => ((HttpResponseMessage)response!).Dispose(), response);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            TimeSpan allowed = options.LowSpeedTime > TimeSpan.Zero ? options.LowSpeedTime : Timeout.InfiniteTimeSpan;
            stalled.Allow(allowed);
            using Stream body = response.Content.ReadAsStream(stalled.Token);
            // Whoever brings less than the limit in the time of a window is too slow.
            long window = 0, enough = options.LowSpeedLimit * (long)options.LowSpeedTime.TotalSeconds;
            for (int read; (read = body.Read(buffer)) > 0;)
            {
                if ((window += read) > enough)
                {
                    stalled.Allow(allowed);
                    window = 0;
                }
                Interlocked.Add(ref transferred, read);
                transfer.Target.Append(buffer.AsSpan(0, read));
                transfer.Arrived?.Invoke(transfer.Target);
            }
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is not RepositoryException)
        {
            throw new OperationCanceledException(e.Message, e, cancellation);
        }
        catch (HttpIOException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            throw new IOException("Transferred a partial file", e);
        }
        catch (Exception e) when (stalled.Token.IsCancellationRequested && e is not RepositoryException and not Linux.LinuxException)
        {
            throw new IOException($"Less than {options.LowSpeedLimit} bytes a second for {options.LowSpeedTime.TotalSeconds} seconds");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
