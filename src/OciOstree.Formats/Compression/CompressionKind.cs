namespace OciOstree.Formats.Compression;

public enum CompressionKind
{
    None,
    Gzip,
    Zstd,
    Xz,
}
