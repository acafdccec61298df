namespace OciOstree.Formats.Toml;

/// <summary>Text that is not TOML, or uses what is not read here, with its line.</summary>
public sealed class TomlException(int line, string message) : FormatException($"line {line}: {message}");
