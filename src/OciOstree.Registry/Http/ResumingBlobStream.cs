using System.Net;
using System.Net.Http.Headers;
using OciOstree.Formats;

namespace OciOstree.Registry.Http;

/// <summary>
/// A blob from a registry. When the connection breaks or stalls it asks for the rest, a bounded number of times; what it
/// delivers is verified by <see cref="VerifyingStream"/> around it.
/// </summary>
internal sealed class ResumingBlobStream : ForwardReadStream
{
    /// <summary>A connection that brought this much was worth it: the count of tries starts anew.</summary>
    private const long WorthwhileBytes = 1 << 20;

    private readonly RegistryClient client;
    private readonly string scope;
    private readonly Descriptor descriptor;
    private readonly RegistryOptions options;
    private readonly CancellationToken cancellationToken;
    private HttpResponseMessage? response;
    private Stream? body;
    private CancellationTokenRegistration cancelled;
    private long position;
    private long connectedAt;
    private int failures;
    private StallWatch watch;

    /// <param name="start">The first byte wanted; there must be one.</param>
    internal ResumingBlobStream(RegistryClient client, string scope, Descriptor descriptor, long start, RegistryOptions options, CancellationToken cancellationToken)
    {
        position = start;
        this.client = client;
        this.scope = scope;
        this.descriptor = descriptor;
        this.options = options;
        this.cancellationToken = cancellationToken;
        Connect();
    }

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Exception broken;
            try
            {
                if (body is null)
                {
                    Connect();
                }

                var read = body!.Read(buffer);
                if (read > 0)
                {
                    watch.Received(read);
                    position += read;
                    return read;
                }

                if (position >= descriptor.Size)
                {
                    return 0;
                }

                broken = new IOException("the connection was closed");
            }
            catch (Exception e) when (RegistryClient.IsBroken(e) || e is ObjectDisposedException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (position >= descriptor.Size)
                {
                    return 0;
                }

                broken = e;
            }

            Recover(broken);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Disconnect();
        }

        base.Dispose(disposing);
    }

    private void Recover(Exception broken)
    {
        Disconnect();
        failures = position - connectedAt >= WorthwhileBytes ? 1 : failures + 1;
        if (failures > options.Retries)
        {
            throw new RegistryException(
                $"fetching blob {descriptor.Digest} from {client.Endpoint.Host}: {HttpReason.Of(broken)} at byte {position} of {descriptor.Size}, after {failures} tries");
        }

        client.Wait(failures, cancellationToken);
    }

    private void Connect()
    {
        var resuming = position > 0;
        var request = new RegistryRequest(HttpMethod.Get, $"/v2/{client.Endpoint.Repository}/blobs/{descriptor.Digest}", scope)
        {
            Range = resuming ? new RangeHeaderValue(position, null) : null,
        };
        response = client.SendExpecting(request, $"fetching blob {descriptor.Digest}", cancellationToken);
        cancelled = cancellationToken.Register(response.Dispose);
        var partial = resuming && response.StatusCode == HttpStatusCode.PartialContent;
        var begins = partial ? response.Content.Headers.ContentRange?.From ?? position : 0;
        if (partial && begins != position)
        {
            throw new RegistryException($"fetching blob {descriptor.Digest} from {client.Endpoint.Host}: asked for byte {position}, got byte {begins}");
        }

        if (response.Content.Headers.ContentLength is { } length && begins + length != descriptor.Size)
        {
            throw new RegistryException($"blob {descriptor.Digest} at {client.Endpoint.Host} has {begins + length} bytes, its manifest says {descriptor.Size}");
        }

        body = response.Content.ReadAsStream(cancellationToken);
        connectedAt = position;
        watch = new StallWatch(options.StallTimeout);
        SkipTo(begins);
    }

    /// <summary>A server that knows no ranges begins anew: what we have is read again and dropped.</summary>
    private void SkipTo(long begins)
    {
        var buffer = new byte[begins < position ? 64 << 10 : 0];
        while (begins < position)
        {
            var read = body!.Read(buffer, 0, (int)Math.Min(buffer.Length, position - begins));
            if (read == 0)
            {
                throw new IOException("the connection was closed");
            }

            watch.Received(read);
            begins += read;
        }
    }

    private void Disconnect()
    {
        cancelled.Dispose();
        body?.Dispose();
        response?.Dispose();
        (body, response) = (null, null);
    }
}
