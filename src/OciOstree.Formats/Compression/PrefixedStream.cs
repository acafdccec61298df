namespace OciOstree.Formats.Compression;

/// <summary>The bytes already read from a stream, then the rest of it.</summary>
public sealed class PrefixedStream(byte[] first, int count, Stream rest, bool leaveOpen) : ForwardReadStream
{
    private int given;

    public override int Read(Span<byte> buffer)
    {
        if (given < count)
        {
            int part = Math.Min(buffer.Length, count - given);
            first.AsSpan(given, part).CopyTo(buffer);
            given += part;
            return part;
        }

        return rest.Read(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen)
        {
            rest.Dispose();
        }

        base.Dispose(disposing);
    }
}
