namespace OciOstree.Formats.Tar;

/// <summary>An extended attribute of an entry. Both parts are raw bytes; the name is without a trailing NUL.</summary>
public readonly record struct TarXattr(byte[] Name, byte[] Value);
