namespace OciOstree.Formats.Compression;

/// <summary>Compressed data that is damaged, truncated or not of the expected kind.</summary>
public sealed class CompressionException : FormatException
{
    public CompressionException(string message) : base(message) { }

    public CompressionException(string message, Exception inner) : base(message, inner) { }
}
