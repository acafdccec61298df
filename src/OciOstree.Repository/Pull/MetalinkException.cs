namespace OciOstree.Repository;

/// <summary>A metalink is malformed or lacks what a download needs.</summary>
public sealed class MetalinkException : FormatException
{
    public MetalinkException(string message)
        : base(message)
    {
    }

    public MetalinkException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
