namespace OciOstree.Sysroot;

/// <summary>Bytes that are no GRUB environment block.</summary>
public sealed class GrubEnvironmentException(string message) : FormatException(message);
