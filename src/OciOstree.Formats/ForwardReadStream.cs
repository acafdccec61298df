namespace OciOstree.Formats;

/// <summary>A stream that is read once from its start to its end: what all of our readers have in common. A reader says how it fills a span; the rest follows.</summary>
public abstract class ForwardReadStream : Stream
{
    public sealed override bool CanRead => true;
    public override bool CanSeek => false;
    public sealed override bool CanWrite => false;

    /// <summary>Not known, unless a reader knows it.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not counted, unless a reader counts it; never to be set.</summary>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract override int Read(Span<byte> buffer);

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    public sealed override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
