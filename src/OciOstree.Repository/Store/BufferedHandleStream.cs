using System.Buffers;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Gathers a compressor's small writes: a small object reaches its file in one.</summary>
internal sealed class BufferedHandleStream(SafeFileHandle handle) : Stream
{
    private byte[]? buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int filled;

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, buffer!.Length - filled);
            bytes[..part].CopyTo(buffer.AsSpan(filled));
            filled += part;
            bytes = bytes[part..];
            if (filled == buffer.Length)
                Flush();
        }
    }

    public override void Write(byte[] bytes, int offset, int count) => Write(bytes.AsSpan(offset, count));

    public override void Flush()
    {
        if (filled > 0)
            Files.Write(handle, buffer.AsSpan(0, filled));
        filled = 0;
    }

    /// <summary>Drops what was not flushed: a file that is given up needs it no more.</summary>
    protected override void Dispose(bool disposing)
    {
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
        base.Dispose(disposing);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] bytes, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
