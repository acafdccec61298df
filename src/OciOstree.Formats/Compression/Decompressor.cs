namespace OciOstree.Formats.Compression;

/// <summary>Opens a stream that decompresses another. How much comes out is for the caller to limit: compressed data can expand without bound.</summary>
public static class Decompressor
{
    /// <summary>
    /// Reads <paramref name="source"/> decompressed; gzip members, zstd frames and xz streams follow each other as one content. Damaged or truncated data
    /// is a <see cref="CompressionException"/> from <c>Read</c>. Disposing the returned stream disposes the source unless <paramref name="leaveOpen"/>.
    /// </summary>
    /// <param name="source">Read from its current position; the result reads ahead.</param>
    /// <param name="kind">Null finds it out by the first bytes: what is neither gzip nor zstd nor xz passes as it is.</param>
    public static Stream Open(Stream source, CompressionKind? kind = null, bool leaveOpen = false)
    {
        if (kind is null)
        {
            byte[] first = new byte[4];
            int have = source.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            kind = Detect(first.AsSpan(0, have));
            source = new PrefixedStream(first, have, source, leaveOpen);
            leaveOpen = false;
        }

        return kind switch
        {
            CompressionKind.Gzip => new GzipDecompressor(source, leaveOpen),
            CompressionKind.Zstd => new ZstdDecompressor(source, leaveOpen),
            CompressionKind.Xz => new XzDecompressor(source, leaveOpen),
            _ => leaveOpen ? new PrefixedStream([], 0, source, leaveOpen: true) : source,
        };
    }

    /// <summary>The kind that data starting with these bytes (four or more are enough) is of.</summary>
    public static CompressionKind Detect(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 0x08]))
        {
            return CompressionKind.Gzip;
        }

        // A frame (RFC 8878 3.1.1) or a skippable frame (3.1.2), whose magic numbers differ in the low four bits.
        if (first.Length >= 4
            && (first.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])
                || ((first[0] & 0xf0) == 0x50 && first[1..].StartsWith((ReadOnlySpan<byte>)[0x2a, 0x4d, 0x18]))))
        {
            return CompressionKind.Zstd;
        }

        // The first four of the six bytes that a stream's header starts with.
        if (first.StartsWith((ReadOnlySpan<byte>)[0xfd, 0x37, 0x7a, 0x58]))
        {
            return CompressionKind.Xz;
        }

        return CompressionKind.None;
    }
}
