namespace OciOstree.Formats.Compression;

/// <summary>Opens a stream that compresses what is written to it.</summary>
public static class Compressor
{
    /// <summary>
    /// The same input and level give the same output. Disposing the returned stream completes the compressed data;
    /// <paramref name="destination"/> stays open.
    /// </summary>
    /// <param name="destination">Gets the compressed bytes.</param>
    /// <param name="kind">With <see cref="CompressionKind.None"/> the bytes pass through.</param>
    /// <param name="level">0 means the format's usual one: 6 of 1 to 9 for gzip and xz, 3 of 1 to 19 for zstd.</param>
    public static Stream Open(Stream destination, CompressionKind kind, int level = 0) => kind switch
    {
        CompressionKind.Gzip => new GzipCompressor(destination, level),
        CompressionKind.Zstd => new ZstdCompressor(destination, level),
        CompressionKind.Xz => new XzCompressor(destination, level),
        _ => new PassThroughStream(destination),
    };
}
