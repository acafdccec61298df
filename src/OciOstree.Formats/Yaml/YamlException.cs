namespace OciOstree.Formats.Yaml;

/// <summary>Text that is not YAML, or uses what is not read here, with its line.</summary>
public sealed class YamlException(int line, string message) : FormatException($"line {line}: {message}");
