using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OciOstree.Repository;

internal sealed partial class RemoteFetcher
{
    private static HttpClient Connect(Repo repo, Remote remote, RemotePullOptions options)
    {
        SocketsHttpHandler handler = new()
        {
            MaxConnectionsPerServer = options.Connections,
            ConnectTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            AllowAutoRedirect = false,
            // What is left of an answer that nobody reads to its end is not waited for.
            MaxResponseDrainSize = 0,
            UseCookies = false,
            ConnectCallback = Open,
        };
        try
        {
            ConfigureTls(handler, remote);
            if (remote.Get("proxy") is { Length: > 0 } proxy)
                handler.Proxy = RemoteProxy.Parse(proxy) ?? throw new RepositoryException($"Invalid proxy '{proxy}' of remote \"{remote.Name}\"");
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
        Socket? socket = null;
        try
        {
            // The C library's search for a name cannot be ended: it is left behind.
            string host = context.DnsEndPoint.Host;
            IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : Dns.GetHostAddressesAsync(host, cancellation).GetAwaiter().GetResult();
            socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using CancellationTokenRegistration timeout = cancellation.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), socket);
            socket.Connect(addresses, context.DnsEndPoint.Port);
            return ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
        }
        catch (Exception e)
        {
            socket?.Dispose();
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
}
