namespace OciOstree.Linux;

/// <summary>An extended attribute; the name with its namespace (<c>user.</c>, <c>security.</c>, …) and without a NUL.</summary>
public readonly record struct Xattr(byte[] Name, byte[] Value);
