using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace OciOstree.Registry.Http;

/// <summary>Makes the HTTP client of one registry: HTTP/1.1, blocking, with its certificates and with time limits on the socket itself.</summary>
internal static class HttpConnector
{
    /// <param name="trust">Which servers to believe and who to be.</param>
    /// <param name="stallTimeout">How long a socket may be silent.</param>
    internal static HttpClient Create(TlsTrust trust, RegistryOptions options, TimeSpan stallTimeout)
    {
        var handler = new SocketsHttpHandler
        {
            // Redirects are followed by hand, so that credentials stay with the host that they are for.
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = trust.Accepts,
                ClientCertificates = trust.ClientCertificates,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            },
            ConnectCallback = (context, cancellationToken) => new ValueTask<Stream>(Connect(context.DnsEndPoint, stallTimeout, options.ConnectTimeout, cancellationToken)),
        };
        return new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Tries a name's addresses in turn; one that does not answer must not use up the time of the others.</summary>
    private static NetworkStream Connect(DnsEndPoint target, TimeSpan stallTimeout, TimeSpan connectTimeout, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : Dns.GetHostAddresses(target.Host);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        for (var i = 0; ; i++)
        {
            try
            {
                var socket = Connect(new IPEndPoint(addresses[i], target.Port), connectTimeout / addresses.Length, cancellationToken);
                socket.ReceiveTimeout = (int)stallTimeout.TotalMilliseconds;
                socket.SendTimeout = (int)stallTimeout.TotalMilliseconds;
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e) when (e is SocketException or TimeoutException && i < addresses.Length - 1)
            {
                // The next address may do; the last one's failure is the one to tell.
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static Socket Connect(IPEndPoint target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(timeout);
            using (deadline.Token.Register(socket.Dispose))
            {
                // Blocking, so that the socket's own timeouts hold for every read and write that follows.
                socket.Connect(target);
            }

            return socket;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            var gaveUp = socket.SafeHandle.IsClosed;
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw gaveUp ? new TimeoutException("timed out") : e;
        }
    }
}
