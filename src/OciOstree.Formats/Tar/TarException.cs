namespace OciOstree.Formats.Tar;

/// <summary>A tar stream that is not well formed, is truncated, or uses what no file tree needs (multi-volume archives).</summary>
public sealed class TarException : FormatException
{
    public TarException(string message) : base(message) { }

    public TarException(string message, Exception inner) : base(message, inner) { }
}
