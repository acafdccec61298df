using OciOstree.Formats;

namespace OciOstree.Registry;

/// <summary>Tells of bytes as they pass.</summary>
internal sealed class ProgressStream(Stream inner, ITransferItem item) : ForwardReadStream
{
    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        item.Advance(read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
