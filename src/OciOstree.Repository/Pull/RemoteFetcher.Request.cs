using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace OciOstree.Repository;

internal sealed partial class RemoteFetcher
{
    private const int MaxRedirections = 20, MaxComplaint = 64 << 10;

    // An answer that has not begun after so long is too slow, too.
    private TimeSpan Patience => options.LowSpeedLimit > 0 && options.LowSpeedTime > TimeSpan.Zero ? options.LowSpeedTime : Timeout.InfiniteTimeSpan;

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

    private bool Once(Uri address, Transfer transfer)
    {
        if (address.IsFile)
            return CopyFile(address, transfer);
        long at = transfer.Resumes ? transfer.Target.Length : 0;
        using TransferWatch.Watched stalled = watch.Begin(Patience);
        using HttpResponseMessage response = Send(address, at, transfer.Known, stalled);
        // Stores that may not be listed answer 403 for what is not there.
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.Forbidden)
        {
            Discard(response, stalled);
            return false;
        }
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
        {
            Discard(response, stalled);
            throw new HttpRequestException($"Server returned HTTP {(int)response.StatusCode}", null, response.StatusCode);
        }
        if (at == 0 || response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From is { } from && from != at)
        {
            if (response.StatusCode == HttpStatusCode.PartialContent)
                throw new IOException("Server returned another part than was asked for");
            transfer.Target.Restart();
        }
        transfer.Target.Expect(response.Content.Headers.ContentLength ?? 0);
        transfer.Stamp = new RemoteFileStamp(response.Headers.ETag?.ToString(), response.Content.Headers.LastModified?.ToUnixTimeSeconds() ?? 0);
        Receive(response, stalled, transfer);
        return true;
    }

    // A handler would follow by itself, but say nothing of what is wrong with a redirection, and not know which headers another host must not see.
    private HttpResponseMessage Send(Uri address, long at, RemoteFileStamp? known, TransferWatch.Watched stalled)
    {
        Uri next = address;
        for (int hops = 0; ; hops++)
        {
            using HttpRequestMessage request = Request(next, IsSameServer(next, address) ? address : null, at, known);
            HttpResponseMessage response = Answer(request, stalled);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || response.Headers.Location is not { } location)
                return response;
            using (response)
                Discard(response, stalled);
            if (hops == MaxRedirections)
                throw new HttpRequestException(HttpRequestError.InvalidResponse, $"Server redirected more than {MaxRedirections} times");
            next = new Uri(next, location);
            if (next.Scheme is not ("http" or "https"))
                throw new HttpRequestException(HttpRequestError.InvalidResponse, $"Server redirected to {Shown(next)}, which is no web address");
        }
    }

    private HttpResponseMessage Answer(HttpRequestMessage request, TransferWatch.Watched stalled)
    {
        try
        {
            return client.Send(request, HttpCompletionOption.ResponseHeadersRead, stalled.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"no answer for {Patience.TotalSeconds} seconds");
        }
    }

    private static bool IsSameServer(Uri one, Uri other) => one.Scheme == other.Scheme && one.Port == other.Port && one.IdnHost == other.IdnHost;

    /// <param name="address">Where to.</param>
    /// <param name="asked">The address that a redirection led from to another one of the same server; null if it is another server's.</param>
    /// <param name="at">How many bytes of the file are here already.</param>
    /// <param name="known">The version that is here already.</param>
    private HttpRequestMessage Request(Uri address, Uri? asked, long at, RemoteFileStamp? known)
    {
        HttpRequestMessage request = new(HttpMethod.Get, WithoutUser(address));
        request.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent + (options.UserAgentSuffix is { } suffix ? " " + suffix : ""));
        string user = address.UserInfo.Length > 0 ? address.UserInfo : asked?.UserInfo ?? "";
        if (user.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(user))));
        foreach ((string name, string value) in options.Headers)
            if (asked is not null || !IsSecret(name))
                request.Headers.TryAddWithoutValidation(name, value);
        if (at > 0)
            request.Headers.TryAddWithoutValidation("Range", $"bytes={at}-");
        if (known is { ETag: { } tag })
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (known is { LastModified: > 0 and var seconds } && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            request.Headers.TryAddWithoutValidation("If-Modified-Since", DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("R", CultureInfo.InvariantCulture));
        return request;
    }

    // As curl has it.
    private static bool IsSecret(string header) => header.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || header.Equals("Cookie", StringComparison.OrdinalIgnoreCase);

    // A connection serves again once all that was answered on it is read, and a complaint is seldom long.
    private static void Discard(HttpResponseMessage response, TransferWatch.Watched stalled)
    {
        if (response.Content.Headers.ContentLength is not <= MaxComplaint)
            return;
        using CancellationTokenRegistration registration = EndWith(stalled, response);
        try
        {
            response.Content.ReadAsStream().CopyTo(Stream.Null);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return; // the next one connects anew
        }
    }

    // Disposing the response is what ends a read that hangs.
    private static CancellationTokenRegistration EndWith(TransferWatch.Watched stalled, HttpResponseMessage response) =>
        stalled.Token.UnsafeRegister(static response => ((HttpResponseMessage)response!).Dispose(), response);

    // Content may lie on this machine where the rest does not.
    private bool CopyFile(Uri address, Transfer transfer)
    {
        FileStream file;
        try
        {
            file = new FileStream(address.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        using (file)
        {
            transfer.Target.Restart();
            transfer.Target.Expect(file.Length);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
            for (int read; (read = file.Read(buffer)) > 0;)
                Take(buffer.AsSpan(0, read), transfer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return true;
    }

    private void Take(ReadOnlySpan<byte> bytes, Transfer transfer)
    {
        cancellation.ThrowIfCancellationRequested();
        Interlocked.Add(ref transferred, bytes.Length);
        transfer.Target.Append(bytes);
        transfer.Arrived?.Invoke(transfer.Target);
    }

    private void Receive(HttpResponseMessage response, TransferWatch.Watched stalled, Transfer transfer)
    {
        using CancellationTokenRegistration registration = EndWith(stalled, response);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            stalled.Allow(Patience);
            using Stream body = response.Content.ReadAsStream(stalled.Token);
            // Whoever brings less than the limit in the time of a window is too slow.
            long window = 0, enough = options.LowSpeedLimit * (long)options.LowSpeedTime.TotalSeconds;
            for (int read; (read = body.Read(buffer)) > 0;)
            {
                if ((window += read) > enough)
                {
                    stalled.Allow(Patience);
                    window = 0;
                }
                Take(buffer.AsSpan(0, read), transfer);
            }
            // What is disposed between two reads seems to have come to its end.
            stalled.Token.ThrowIfCancellationRequested();
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is not RepositoryException)
        {
            throw new OperationCanceledException(e.Message, e, cancellation);
        }
        // Before the end of an answer is complained of: our own end to it looks the same.
        catch (Exception e) when (stalled.Token.IsCancellationRequested && e is not RepositoryException and not OversizedException and not Linux.LinuxException)
        {
            throw new IOException($"Less than {options.LowSpeedLimit} bytes a second for {options.LowSpeedTime.TotalSeconds} seconds");
        }
        catch (HttpIOException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            throw new IOException("Transferred a partial file", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
