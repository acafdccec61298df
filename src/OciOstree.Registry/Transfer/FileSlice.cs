using Microsoft.Win32.SafeHandles;
using OciOstree.Formats;

namespace OciOstree.Registry;

/// <summary>A part of an open file, read by offset, so that several slices of one file can be read at once.</summary>
internal sealed class FileSlice(SafeFileHandle handle, long offset, long length, bool ownsHandle) : ForwardReadStream
{
    private long position;

    public override bool CanSeek => true;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => position = value;
    }

    public override long Seek(long offset, SeekOrigin origin) => position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => length + offset,
    };

    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, length - position);
        if (wanted <= 0)
        {
            return 0;
        }

        var read = RandomAccess.Read(handle, buffer[..wanted], offset + position);
        position += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && ownsHandle)
        {
            handle.Dispose();
        }

        base.Dispose(disposing);
    }
}
