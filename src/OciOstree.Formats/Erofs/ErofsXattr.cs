namespace OciOstree.Formats.Erofs;

/// <summary>An extended attribute of a node: its name without NUL, and its value.</summary>
public readonly record struct ErofsXattr(byte[] Name, byte[] Value);
