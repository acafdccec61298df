using System.IO.Compression;

namespace OciOstree.Formats.Compression;

/// <summary>
/// One gzip member with a header that depends on nothing: no time, no name, operating system "unknown" (255), no level hint;
/// the header that ostree-ext's layers have. The output does not depend on how the input is cut up into writes.
/// </summary>
public sealed class GzipCompressor : CompressingStream
{
    // GZipStream writes nothing at all for no content, which is no gzip file: an empty final block, then checksum and length of zero.
    private static ReadOnlySpan<byte> EmptyMember => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly GZipStream gzip;
    private readonly Stream destination;
    // zlib-ng's fast levels match only within what one call hands over: the same input gives the same output only in pieces of the same size.
    private readonly byte[] piece = GC.AllocateUninitializedArray<byte>(64 * 1024);
    private int used;
    private bool written;
    private bool disposed;

    /// <param name="destination">Gets the compressed bytes and stays open.</param>
    /// <param name="level">1 (fastest) to 9; 0 means 6.</param>
    public GzipCompressor(Stream destination, int level = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9);
        this.destination = destination;
        var options = new ZLibCompressionOptions { CompressionLevel = level == 0 ? 6 : level };
        gzip = new GZipStream(new HeaderStream(destination), options);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        written |= !buffer.IsEmpty;
        while (!buffer.IsEmpty)
        {
            if (used == 0 && buffer.Length >= piece.Length)
            {
                gzip.Write(buffer[..piece.Length]);
                buffer = buffer[piece.Length..];
                continue;
            }

            int part = Math.Min(buffer.Length, piece.Length - used);
            buffer[..part].CopyTo(piece.AsSpan(used));
            buffer = buffer[part..];
            used += part;
            if (used == piece.Length)
            {
                WritePiece();
            }
        }
    }

    /// <summary>Makes all that was written readable so far; the output then depends on where this was called.</summary>
    public override void Flush()
    {
        WritePiece();
        gzip.Flush();
    }

    private void WritePiece()
    {
        gzip.Write(piece.AsSpan(0, used));
        used = 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            WritePiece();
            gzip.Dispose();
            if (!written)
            {
                destination.Write(EmptyMember);
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>Sets the bytes of the header that zlib fills by its own build: 8 (extra flags) and 9 (operating system).</summary>
    private sealed class HeaderStream(Stream destination) : CompressingStream
    {
        private int seen;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (seen < 10 && !buffer.IsEmpty)
            {
                destination.WriteByte(seen switch { 8 => 0, 9 => 255, _ => buffer[0] });
                buffer = buffer[1..];
                seen++;
            }

            if (!buffer.IsEmpty)
            {
                destination.Write(buffer);
            }
        }

        public override void Flush() => destination.Flush();
    }
}
