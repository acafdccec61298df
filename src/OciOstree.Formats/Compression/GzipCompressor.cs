using System.IO.Compression;

namespace OciOstree.Formats.Compression;

/// <summary>
/// One gzip member with a header that depends on nothing: no time, no name, operating system "unknown" (255), no level hint;
/// the header that ostree-ext's layers have.
/// </summary>
public sealed class GzipCompressor : CompressingStream
{
    private readonly GZipStream _gzip;

    /// <param name="destination">Gets the compressed bytes and stays open.</param>
    /// <param name="level">1 (fastest) to 9; 0 means 6.</param>
    public GzipCompressor(Stream destination, int level = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9);
        var options = new ZLibCompressionOptions { CompressionLevel = level == 0 ? 6 : level };
        _gzip = new GZipStream(new HeaderStream(destination), options);
    }

    public override void Write(ReadOnlySpan<byte> buffer) => _gzip.Write(buffer);

    public override void Flush() => _gzip.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Sets the bytes of the header that zlib fills by its own build: 8 (extra flags) and 9 (operating system).</summary>
    private sealed class HeaderStream(Stream destination) : CompressingStream
    {
        private int _seen;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (_seen < 10 && !buffer.IsEmpty)
            {
                destination.WriteByte(_seen switch { 8 => 0, 9 => 255, _ => buffer[0] });
                buffer = buffer[1..];
                _seen++;
            }

            if (!buffer.IsEmpty)
            {
                destination.Write(buffer);
            }
        }

        public override void Flush() => destination.Flush();
    }
}
