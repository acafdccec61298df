using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Fetches files of a repository over HTTP: several addresses (a mirror list, a metalink) are tried in turn, failures that may pass are tried
/// again, and a transfer that broke off goes on where it stopped. Used from many threads at once.
/// </summary>
internal sealed partial class RemoteFetcher : RemoteAccess
{
    private const int MaxListing = 4 << 20, MaxMirrors = 1000, MuchProgress = 1 << 20;

    private readonly HttpClient client;
    private readonly TransferWatch watch;
    private readonly RemotePullOptions options;
    private readonly CancellationToken cancellation;
    private readonly Uri[] metadataBases, contentBases;
    private readonly byte[]? metalinkSummary;
    private long transferred;

    /// <exception cref="RepositoryException">An address or certificate of the remote is no good, or its list of mirrors cannot be had.</exception>
    public RemoteFetcher(Repo repo, Remote remote, string? url, RemotePullOptions options, CancellationToken cancellation)
    {
        (this.options, this.cancellation) = (options, cancellation);
        client = Connect(repo, remote, options);
        watch = new TransferWatch(cancellation);
        try
        {
            if (remote.Get("metalink") is { Length: > 0 } metalink)
            {
                (metadataBases, metalinkSummary) = ResolveMetalink(metalink);
                url = null;
            }
            else
            {
                metadataBases = Resolve(url ?? throw new RepositoryException($"No \"url\" option in remote \"{remote.Name}\""));
            }
            contentBases = remote.Get("contenturl") is { Length: > 0 } content && (options.Url is null || url is null) ? Resolve(content) : metadataBases;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override long BytesTransferred => Interlocked.Read(ref transferred);

    /// <summary>How many servers objects can be asked from.</summary>
    public int Mirrors => contentBases.Length;

    // "mirrorlist=URL" names a file with an address a line.
    private Uri[] Resolve(string url)
    {
        if (!url.StartsWith("mirrorlist=", StringComparison.Ordinal))
            return [Base(url)];
        string list = url["mirrorlist=".Length..];
        List<Uri> mirrors = [];
        try
        {
            byte[] bytes = TryFetch([Address(list)], null, MaxListing, null)?.Bytes ?? throw new RepositoryException("Server returned HTTP 404");
            foreach (string line in Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!line.StartsWith("http://", StringComparison.Ordinal) && !line.StartsWith("https://", StringComparison.Ordinal) || mirrors.Count == MaxMirrors)
                    continue;
                // One that works goes first: every download would begin with those that do not.
                if (Uri.TryCreate(line.TrimEnd('/') + "/", UriKind.Absolute, out Uri? mirror) && (mirrors.Count > 0 || Answers(mirror)))
                    mirrors.Add(mirror);
            }
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"While fetching mirrorlist '{list}'", e);
        }
        return mirrors.Count > 0 ? [.. mirrors] : throw new RepositoryException($"No valid mirrors were found in mirrorlist '{list}'");
    }

    private bool Answers(Uri mirror)
    {
        try
        {
            return TryFetch([mirror], "config", MaxSmallFile, null) is not null;
        }
        catch (RepositoryException)
        {
            return false;
        }
    }

    // A metalink vouches for one file, the summary; where a server has it the rest of the repository is beside it.
    private (Uri[] Bases, byte[] Summary) ResolveMetalink(string url)
    {
        byte[] document = TryFetch([Address(url)], null, Metalink.MaxSize, null)?.Bytes ?? throw new RepositoryException($"While fetching {url}: Server returned HTTP 404");
        try
        {
            Metalink metalink = Metalink.Parse(document, "summary") ?? throw new MetalinkException("No <file name='summary'> found");
            string reason = "";
            for (int i = 0; i < metalink.Urls.Count; i++)
            {
                try
                {
                    byte[] summary = TryFetch([metalink.Urls[i]], null, Repo.MaxMetadataSize, null)?.Bytes ?? throw new RepositoryException("Server returned HTTP 404");
                    metalink.Verify(summary);
                    return ([.. metalink.Urls.Skip(i).Select(target => new Uri(target, "."))], summary);
                }
                catch (Exception e) when (e is RepositoryException or MetalinkException)
                {
                    reason = ErrorChain.Of(e);
                }
            }
            throw new MetalinkException($"Exhausted {metalink.Urls.Count} metalink targets, last error: {reason}");
        }
        catch (MetalinkException e)
        {
            throw new RepositoryException($"Metalink {url}", e);
        }
    }

    private static Uri Base(string url) => Address(url.TrimEnd('/') + "/");

    private static Uri Address(string url) =>
        !Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) ? throw new RepositoryException($"Invalid URI {url}")
        : parsed.Scheme is "http" or "https" or "file" ? parsed : throw new RepositoryException($"Invalid URI scheme in {url}: only http, https and file are known");

    public override RemoteFile? TryFetch(string path, long limit, RemoteFileStamp? known = null)
    {
        if (path == RepoSummary.FileName && metalinkSummary is not null)
            return new RemoteFile(metalinkSummary, default, false);
        return TryFetch(metadataBases, path, limit, known);
    }

    public override bool TryFetchFile(string path, long limit, Func<TemporaryFile> room, Action<SafeFileHandle> use)
    {
        using DownloadedObject whole = new(room, limit);
        int mirror = 0;
        if (!Try(contentBases, path, ref mirror, new Transfer(whole) { Resumes = true }))
            return false;
        use(whole.ToFile().Handle);
        return true;
    }

    /// <summary>Fetches an object, and from the next server if one has it not; false if none has.</summary>
    /// <param name="mirror">The server to begin with; afterwards the one that had it.</param>
    public bool TryFetchObject(string path, DownloadedObject target, ref int mirror, Action<DownloadedObject>? arrived = null) =>
        Try(path.EndsWith(".commitmeta", StringComparison.Ordinal) ? metadataBases : contentBases, path, ref mirror, new Transfer(target) { Resumes = true, Arrived = arrived });

    private RemoteFile? TryFetch(Uri[] bases, string? path, long limit, RemoteFileStamp? known)
    {
        using DownloadedObject whole = new(static () => TemporaryFileIn(Path.GetTempPath()), limit);
        Transfer transfer = new(whole) { Known = known };
        int mirror = 0;
        if (!Try(bases, path, ref mirror, transfer))
            return null;
        return new RemoteFile(transfer.Unchanged ? [] : whole.ToArray(), transfer.Stamp, transfer.Unchanged);
    }

    private static TemporaryFile TemporaryFileIn(string path)
    {
        using LinuxDirectory directory = LinuxDirectory.Open(path);
        return directory.CreateTemporaryFile();
    }

    private bool Try(Uri[] bases, string? path, ref int mirror, Transfer transfer)
    {
        for (; ; mirror++)
        {
            Uri address = path is null ? bases[mirror] : new Uri(bases[mirror], path);
            bool isLast = mirror + 1 >= bases.Length;
            try
            {
                if (Repeatedly(address, transfer))
                    return true;
                // Mirrors need not have everything.
                if (isLast)
                    return false;
            }
            catch (Exception e) when (!isLast && IsTheirs(e))
            {
                transfer.Target.Restart();
            }
            catch (Exception e) when (IsTheirs(e) || e is RepositoryException)
            {
                cancellation.ThrowIfCancellationRequested();
                throw new RepositoryException($"While fetching {Shown(address)}", Plain(e));
            }
        }
    }

    // What a user can do something about is below "An error occurred while sending the request"; the address has been named.
    private static Exception Plain(Exception e) => e switch
    {
        SocketException socket => new SocketException((int)socket.SocketErrorCode),
        HttpRequestException { StatusCode: null, InnerException: { } cause } => Plain(cause),
        _ => e,
    };

    private static bool IsTheirs(Exception e) => e is HttpRequestException || e is IOException and not LinuxException;

    private bool Repeatedly(Uri address, Transfer transfer)
    {
        for (int attempt = 0; ; attempt++)
        {
            long before = transfer.Target.Length;
            try
            {
                return Once(address, transfer);
            }
            catch (Exception e) when (MayPass(e) && !cancellation.IsCancellationRequested && (attempt < options.Retries || IsGettingOn(transfer, before)))
            {
                // Who got on with it does so at once, and as often as it takes.
                if (IsGettingOn(transfer, before))
                    attempt = -1;
                int wait = transfer.Resumes && transfer.Target.Length > before ? 0 : Math.Min(100 << Math.Min(attempt, 10), 5000);
                if (cancellation.WaitHandle.WaitOne(wait))
                    cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static bool IsGettingOn(Transfer transfer, long before) => transfer.Resumes && transfer.Target.Length - before >= MuchProgress;

    private bool MayPass(Exception e) => e switch
    {
        LinuxException or OversizedException => false, // our own disk's; it would be the same again
        HttpRequestException { StatusCode: { } code } => options.RetryAll && (code is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)code >= 500),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError or HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => false,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError } => options.RetryAll,
        HttpRequestException or IOException => true,
        _ => false,
    };

    private static Uri WithoutUser(Uri address) => address.UserInfo.Length == 0 ? address : new UriBuilder(address) { UserName = "", Password = "" }.Uri;

    private static string Shown(Uri address) => WithoutUser(address).ToString();

    public override string Describe(string path) => Describe(path, 0);

    public string Describe(string path, int mirror) => Shown(new Uri((path.StartsWith("objects/", StringComparison.Ordinal) ? contentBases : metadataBases)[mirror], path));

    public override void Dispose()
    {
        client.Dispose();
        watch.Dispose();
    }
}
