using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// read(2) and write(2) as a stream. <see cref="FileStream"/> asks the kernel four questions about a descriptor before its first byte,
/// which is most of the cost of a small file.
/// </summary>
internal sealed class FileDescriptorStream(SafeFileHandle file, bool leaveOpen) : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => true;
    public override long Length => Files.Status(file).Size;

    public override long Position
    {
        get => Seek(0, SeekOrigin.Current);
        set => Seek(value, SeekOrigin.Begin);
    }

    public override int Read(Span<byte> buffer) => Files.Read(file, buffer);

    public override int Read(byte[] buffer, int offset, int count) => Files.Read(file, buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => Files.Write(file, buffer);

    public override void Write(byte[] buffer, int offset, int count) => Files.Write(file, buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin)
    {
        long position = Libc.lseek(file, offset, (int)origin);
        return position >= 0 ? position : throw new LinuxException(Libc.LastError, "seek");
    }

    public override void SetLength(long value) => Files.SetLength(file, value);

    public override void Flush()
    {
        // Nothing is buffered on this side of the kernel.
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen)
            file.Dispose();
        base.Dispose(disposing);
    }
}
