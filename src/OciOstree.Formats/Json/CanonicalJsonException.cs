namespace OciOstree.Formats.Json;

/// <summary>A JSON value that has no canonical form. The message is one line.</summary>
public sealed class CanonicalJsonException(string message) : FormatException(message);
