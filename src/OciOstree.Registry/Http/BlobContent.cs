using System.Net;

namespace OciOstree.Registry.Http;

/// <summary>A blob as a request's body, from an offset on, without holding it in memory.</summary>
internal sealed class BlobContent : HttpContent
{
    private const int BufferSize = 256 << 10;
    private readonly Func<Stream> open;
    private readonly long offset;
    private readonly long length;

    internal BlobContent(Func<Stream> open, long offset, long length)
    {
        this.open = open;
        this.offset = offset;
        this.length = length;
        Headers.ContentType = new("application/octet-stream");
    }

    /// <summary>Why the blob could not be read, if that is what ended the request.</summary>
    internal Exception? Failure { get; private set; }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using var content = Reading(open);
            long position = 0;
            for (int read; (read = Reading(() => content.Read(buffer))) > 0; position += read)
            {
                cancellationToken.ThrowIfCancellationRequested();

                // What the registry has already is read again, since the digest is checked over all of it.
                var skip = (int)Math.Clamp(offset - position, 0, read);
                stream.Write(buffer, skip, read - skip);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        SerializeToStream(stream, context, CancellationToken.None);
        return Task.CompletedTask;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = this.length - offset;
        return true;
    }

    private T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e)
        {
            Failure = e;
            throw;
        }
    }
}
