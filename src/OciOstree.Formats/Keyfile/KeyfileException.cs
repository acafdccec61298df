namespace OciOstree.Formats.Keyfile;

/// <summary>A keyfile, or a value in one, that is not what it has to be. The message is one line.</summary>
public sealed class KeyfileException : FormatException
{
    public KeyfileException(string message) : base(message) { }

    public KeyfileException(string message, Exception inner) : base(message, inner) { }
}
