using OciOstree.Formats;

namespace OciOstree.Repository;

/// <summary>Reads memory that is no array.</summary>
internal sealed class MemoryForwardStream(ReadOnlyMemory<byte> bytes) : ForwardReadStream
{
    private int at;

    public override int Read(Span<byte> buffer)
    {
        int length = Math.Min(buffer.Length, bytes.Length - at);
        bytes.Span.Slice(at, length).CopyTo(buffer);
        at += length;
        return length;
    }
}
