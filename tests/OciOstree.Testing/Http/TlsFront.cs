using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OciOstree.Testing;

/// <summary>
/// Speaks TLS on the loopback interface in front of a server that does not: with a certificate of an authority that nobody knows, and if asked to
/// only with clients who show one of the same authority.
/// </summary>
public sealed class TlsFront : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 authority, own;
    private readonly string backend;
    private readonly bool wantsClients;

    /// <param name="directory">Where <c>authority.pem</c>, <c>client.pem</c> and <c>client.key</c> are written to.</param>
    /// <param name="backend">The server behind, <c>HOST:PORT</c>.</param>
    /// <param name="wantsClients">Whether clients must show a certificate.</param>
    public TlsFront(string directory, string backend, bool wantsClients = false)
    {
        (this.backend, this.wantsClients) = (backend, wantsClients);
        using RSA authorityKey = RSA.Create(2048);
        CertificateRequest root = new("CN=tests", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        authority = root.CreateSelfSigned(Begin, Begin.AddYears(20));
        (own, _) = Issue("CN=127.0.0.1", "1.3.6.1.5.5.7.3.1");
        (X509Certificate2 client, string key) = Issue("CN=client", "1.3.6.1.5.5.7.3.2");
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "authority.pem"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "client.pem"), client.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "client.key"), key);
        client.Dispose();
        listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public string Url => $"https://{listener.LocalEndpoint}/";

    private static DateTimeOffset Begin => new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public void Dispose()
    {
        listener.Dispose();
        authority.Dispose();
        own.Dispose();
    }

    private (X509Certificate2 Certificate, string Key) Issue(string name, string purpose)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        using X509Certificate2 signed = request.Create(authority, Begin, Begin.AddYears(19), RandomNumberGenerator.GetBytes(8));
        return (signed.CopyWithPrivateKey(key), key.ExportPkcs8PrivateKeyPem());
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = listener.AcceptTcpClient();
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed: the test is over.
        }
    }

    private void Serve(TcpClient client)
    {
        try
        {
            using SslStream outside = new(client.GetStream(), leaveInnerStreamOpen: false);
            outside.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificate = own,
                ClientCertificateRequired = wantsClients,
                // Tickets would have to be told of clients' certificates, too.
                AllowTlsResume = false,
                RemoteCertificateValidationCallback = (_, shown, _, _) => !wantsClients || shown is not null && shown.Issuer == authority.Subject,
                EnabledSslProtocols = SslProtocols.Tls12,
            });
            string[] to = backend.Split(':');
            using TcpClient server = new(to[0], int.Parse(to[1])) { NoDelay = true };
            using NetworkStream inside = server.GetStream();
            Thread answers = new(() => Pump(inside, outside)) { IsBackground = true };
            answers.Start();
            Pump(outside, inside);
            server.Client.Shutdown(SocketShutdown.Send);
            answers.Join();
        }
        catch (Exception e) when (e is IOException or AuthenticationException or SocketException or ObjectDisposedException)
        {
            // Who is not let in, and who has gone.
        }
    }

    private static void Pump(Stream from, Stream to)
    {
        try
        {
            from.CopyTo(to);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // One of both has gone.
        }
    }
}
