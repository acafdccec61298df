namespace OciOstree.Formats.BootLoaderSpec;

/// <summary>A Boot Loader Specification entry that can not be read or written. The message is one line.</summary>
public sealed class BootEntryException(string message) : FormatException(message);
