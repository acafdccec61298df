using Microsoft.Win32.SafeHandles;
using OciOstree.Formats;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Reads an open file from a position on, without a buffer of its own and without closing the handle.</summary>
internal sealed class HandleStream(SafeFileHandle handle, long position) : ForwardReadStream
{
    public override int Read(Span<byte> buffer)
    {
        int read = Files.ReadAt(handle, buffer, position);
        position += read;
        return read;
    }

    public override long Position { get => position; set => throw new NotSupportedException(); }
}
