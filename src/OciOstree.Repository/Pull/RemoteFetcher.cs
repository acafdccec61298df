using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Fetches files of a repository over HTTP: several addresses (a mirror list) are tried in turn, failures that may pass are tried again, and a
/// transfer that broke off goes on where it stopped. Used from many threads at once.
/// </summary>
internal sealed class RemoteFetcher : IDisposable
{
    // A transfer that brings nothing for so long is given up and tried again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient client;
    private readonly RemotePullOptions options;
    private readonly CancellationToken cancellation;
    private readonly Uri[] metadataBases, contentBases;
    private long transferred;

    public RemoteFetcher(Remote remote, string url, RemotePullOptions options, CancellationToken cancellation)
    {
        (this.options, this.cancellation) = (options, cancellation);
        SocketsHttpHandler handler = new()
        {
            MaxConnectionsPerServer = options.Connections,
            ConnectTimeout = Patience,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
        };
        try
        {
            ConfigureTls(handler, remote);
            if (remote.Get("proxy") is { Length: > 0 } proxy)
                handler.Proxy = new WebProxy(proxy);
            client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        }
        catch
        {
            handler.Dispose();
            throw;
        }
        metadataBases = Resolve(url);
        contentBases = remote.Get("contenturl") is { Length: > 0 } content && options.Url is null ? Resolve(content) : metadataBases;
    }

    public long BytesTransferred => Interlocked.Read(ref transferred);

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
        catch (Exception e) when (e is IOException or System.Security.Cryptography.CryptographicException)
        {
            throw new RepositoryException($"Reading the certificates of remote \"{remote.Name}\"", e);
        }
    }

    // "mirrorlist=URL" names a file with an address a line.
    private Uri[] Resolve(string url)
    {
        if (!url.StartsWith("mirrorlist=", StringComparison.Ordinal))
            return [Base(url)];
        string list = url["mirrorlist=".Length..];
        byte[] bytes = TryFetch([new Uri(list)], null, 1 << 20) ?? throw new RepositoryException($"While fetching mirrorlist '{list}': Server returned HTTP 404");
        Uri[] mirrors = [.. Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("http://", StringComparison.Ordinal) || line.StartsWith("https://", StringComparison.Ordinal)).Select(Base)];
        return mirrors.Length > 0 ? mirrors : throw new RepositoryException($"No valid mirrors were found in mirrorlist '{list}'");
    }

    private static Uri Base(string url) =>
        Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https"
            ? parsed : throw new RepositoryException($"Invalid URI {url}: only http, https and file are known");

    /// <summary>Fetches a small file whole; null if there is none.</summary>
    public byte[]? TryFetch(string path, long limit) =>
        TryFetch(IsObject(path) && !path.EndsWith(".commitmeta", StringComparison.Ordinal) ? contentBases : metadataBases, path, limit);

    /// <summary>Fetches a file into another from its start on; false if there is none.</summary>
    public bool TryFetchContent(string path, TemporaryFile target)
    {
        long at = 0;
        return Try(contentBases, path, () => at, bytes =>
        {
            Files.WriteAt(target.Handle, bytes, at);
            at += bytes.Length;
        }, () =>
        {
            at = 0;
            Files.SetLength(target.Handle, 0);
        });
    }

    private byte[]? TryFetch(Uri[] bases, string? path, long limit)
    {
        using MemoryStream all = new();
        // Only what is named by its content can be put together from two answers: anything else may have changed in between.
        bool found = Try(bases, path, () => path is not null && IsObject(path) ? all.Length : 0, bytes =>
        {
            if (all.Length + bytes.Length > limit)
                throw new RepositoryException($"{Shown(path is null ? bases[0] : new Uri(bases[0], path))} exceeded maximum of {limit} bytes");
            all.Write(bytes);
        }, () => all.SetLength(0));
        return found ? all.ToArray() : null;
    }

    private static bool IsObject(string path) => path.StartsWith("objects/", StringComparison.Ordinal);

    private delegate void Sink(ReadOnlySpan<byte> bytes);

    private bool Try(Uri[] bases, string? path, Func<long> resumeAt, Sink sink, Action restart)
    {
        for (int mirror = 0; ; mirror++)
        {
            Uri address = path is null ? bases[mirror] : new Uri(bases[mirror], path);
            try
            {
                if (Repeatedly(address, resumeAt, sink, restart))
                    return true;
                // Mirrors need not have everything.
                if (mirror + 1 == bases.Length)
                    return false;
            }
            catch (Exception e) when (mirror + 1 < bases.Length && e is not LinuxException && e is HttpRequestException or IOException)
            {
                restart();
            }
            catch (Exception e) when (e is not LinuxException && e is HttpRequestException or IOException or ObjectDisposedException)
            {
                cancellation.ThrowIfCancellationRequested();
                throw new RepositoryException($"While fetching {Shown(address)}", e is ObjectDisposedException ? new TimeoutException($"nothing came for {Patience.TotalSeconds} seconds") : e);
            }
        }
    }

    private bool Repeatedly(Uri address, Func<long> resumeAt, Sink sink, Action restart)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return Once(address, resumeAt(), sink, restart);
            }
            catch (Exception e) when (attempt < options.Retries && MayPass(e) && !cancellation.IsCancellationRequested)
            {
                if (cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(Math.Min(200 << attempt, 5000))))
                    cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static bool MayPass(Exception e) => e switch
    {
        LinuxException => false, // our own disk's
        HttpRequestException { StatusCode: { } code } => code is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)code >= 500,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError } => false,
        HttpRequestException or IOException or ObjectDisposedException => true,
        _ => false,
    };

    private bool Once(Uri address, long resumeAt, Sink sink, Action restart)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, WithoutUser(address));
        request.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent + (options.UserAgentSuffix is { } suffix ? " " + suffix : ""));
        if (address.UserInfo.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo))));
        foreach ((string name, string value) in options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (resumeAt > 0)
            request.Headers.TryAddWithoutValidation("Range", $"bytes={resumeAt}-");
        using CancellationTokenSource stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stalled.CancelAfter(Patience);
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
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return false;
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"Server returned HTTP {(int)response.StatusCode}", null, response.StatusCode);
            if (resumeAt == 0 || response.StatusCode != HttpStatusCode.PartialContent)
                restart();
            // Disposing the response is what ends a read that hangs.
            using CancellationTokenRegistration watch = stalled.Token.Register(response.Dispose);
            try
            {
                Read(response, stalled, sink);
            }
            catch (HttpIOException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded)
            {
                throw new IOException("Transferred a partial file", e);
            }
        }
        return true;
    }

    private void Read(HttpResponseMessage response, CancellationTokenSource stalled, Sink sink)
    {
        using Stream body = response.Content.ReadAsStream(stalled.Token);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            for (int read; (read = body.Read(buffer)) > 0;)
            {
                stalled.CancelAfter(Patience);
                Interlocked.Add(ref transferred, read);
                sink(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Uri WithoutUser(Uri address) => address.UserInfo.Length == 0 ? address : new UriBuilder(address) { UserName = "", Password = "" }.Uri;

    private static string Shown(Uri address) => WithoutUser(address).ToString();

    /// <summary>The address that messages name a file by.</summary>
    public string Describe(string path) => Shown(new Uri(metadataBases[0], path));

    public void Dispose() => client.Dispose();
}
