namespace OciOstree.Formats.GVariant;

/// <summary>A GVariant type string, value or text that is not what it has to be. The message is one line.</summary>
public sealed class VariantException : FormatException
{
    public VariantException(string message) : base(message) { }

    public VariantException(string message, Exception inner) : base(message, inner) { }
}
