using System.IO.Compression;

namespace OciOstree.Formats.Compression;

/// <summary>Decompresses a sequence of gzip members. Zeros or other bytes behind the last one are ignored, as gzip does.</summary>
internal sealed class GzipDecompressor(Stream source, bool leaveOpen) : ForwardReadStream
{
    private readonly GZipStream gzip = new(source, CompressionMode.Decompress, leaveOpen);

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return gzip.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw new CompressionException("gzip: the data is damaged or truncated", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            gzip.Dispose();
        }

        base.Dispose(disposing);
    }
}
