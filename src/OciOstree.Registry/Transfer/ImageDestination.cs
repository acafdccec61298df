namespace OciOstree.Registry;

/// <summary>What all destinations share: spooling, verifying and counting blobs.</summary>
internal abstract class ImageDestination(ImageReference reference) : IImageDestination
{
    private long bytesSent;
    private long bytesSkipped;

    public ImageReference Reference => reference;

    public long BytesSent => Interlocked.Read(ref bytesSent);

    public long BytesSkipped => Interlocked.Read(ref bytesSkipped);

    /// <summary>Where blobs are collected before they have a name.</summary>
    protected abstract string SpoolDirectory { get; }

    public abstract bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default);

    public BlobWriter CreateBlob() => new Writer(this, SpoolFile.Create(SpoolDirectory));

    public virtual void PutBlob(Descriptor descriptor, Func<Stream> open, CancellationToken cancellationToken = default)
    {
        if (HasBlob(descriptor.Digest, descriptor.Size, cancellationToken))
        {
            CountSkipped(descriptor.Size);
            return;
        }

        using var spool = SpoolFile.Create(SpoolDirectory, computeDigest: false);
        using var content = OpenVerified(descriptor, open);
        spool.AppendAll(content, cancellationToken);
        StoreBlob(spool, descriptor, cancellationToken);
        CountSent(descriptor.Size);
    }

    public abstract void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default);

    public abstract void Finish(CancellationToken cancellationToken = default);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens a blob's content so that it is verified exactly once, whoever does it.</summary>
    protected static Stream OpenVerified(Descriptor descriptor, Func<Stream> open)
    {
        var content = open();
        return content is VerifyingStream { Descriptor: var verified } && verified.Digest == descriptor.Digest && verified.Size == descriptor.Size
            ? content
            : new VerifyingStream(content, descriptor);
    }

    protected void CountSent(long bytes) => Interlocked.Add(ref bytesSent, bytes);

    protected void CountSkipped(long bytes) => Interlocked.Add(ref bytesSkipped, bytes);

    /// <summary>Puts a complete and verified blob in place.</summary>
    protected abstract void StoreBlob(SpoolFile spool, Descriptor descriptor, CancellationToken cancellationToken);

    protected virtual void Dispose(bool disposing)
    {
    }

    private sealed class Writer(ImageDestination destination, SpoolFile spool) : BlobWriter
    {
        public override long Length => spool.Length;

        public override void Write(ReadOnlySpan<byte> buffer) => spool.Append(buffer);

        public override Descriptor Complete(string mediaType, CancellationToken cancellationToken = default)
        {
            var descriptor = new Descriptor(mediaType, spool.FinishDigest(), spool.Length);
            if (destination.HasBlob(descriptor.Digest, descriptor.Size, cancellationToken))
            {
                destination.CountSkipped(descriptor.Size);
            }
            else
            {
                destination.StoreBlob(spool, descriptor, cancellationToken);
                destination.CountSent(descriptor.Size);
            }

            return descriptor;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                spool.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
