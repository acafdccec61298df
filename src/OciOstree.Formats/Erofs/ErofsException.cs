namespace OciOstree.Formats.Erofs;

/// <summary>A tree that no composefs image can hold.</summary>
public sealed class ErofsException(string message) : FormatException(message);
