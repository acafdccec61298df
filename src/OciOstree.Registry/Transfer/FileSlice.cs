using Microsoft.Win32.SafeHandles;

namespace OciOstree.Registry;

/// <summary>A part of an open file, read by offset, so that several slices of one file can be read at once.</summary>
internal sealed class FileSlice(SafeFileHandle handle, long offset, long length, bool ownsHandle) : ReadOnlyStream
{
    private long position;

    public override long Length => length;

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
