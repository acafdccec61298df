using OciOstree.Formats;

namespace OciOstree.Registry;

/// <summary>A blob whose beginning is kept already: that is read from where it is, and the rest is kept as it comes.</summary>
internal sealed class ContinuedStream : ForwardReadStream
{
    private readonly PartialBlob kept;
    private readonly long start;
    private readonly Stream? rest;
    private long position;

    /// <param name="openRest">Opens the blob from an offset on; not called if nothing is missing.</param>
    internal ContinuedStream(PartialBlob kept, long size, Func<long, Stream> openRest)
    {
        this.kept = kept;
        start = kept.Length;
        rest = start < size ? openRest(start) : null;
    }

    public override int Read(Span<byte> buffer)
    {
        if (position < start)
        {
            var read = kept.Read(buffer[..(int)Math.Min(buffer.Length, start - position)], position);
            position += read;
            return read;
        }

        var count = rest?.Read(buffer) ?? 0;
        kept.Append(buffer[..count]);
        position += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            rest?.Dispose();
            kept.Dispose();
        }

        base.Dispose(disposing);
    }
}
