namespace OciOstree.Registry;

/// <summary>
/// A blob in the making: bytes are written, then <see cref="Complete"/> gives it its name. Disposing it before that leaves
/// nothing behind. Writing is sequential and never larger than one buffer in memory.
/// </summary>
public abstract class BlobWriter : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    /// <summary>Ends the blob and puts it in place. A blob that the destination already has is dropped and counted as skipped.</summary>
    /// <exception cref="RegistryException">The destination refused it.</exception>
    public abstract Descriptor Complete(string mediaType, CancellationToken cancellationToken = default);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public abstract override void Write(ReadOnlySpan<byte> buffer);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
