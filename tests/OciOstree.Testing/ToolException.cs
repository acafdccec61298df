namespace OciOstree.Testing;

/// <summary>A program that a test needs is missing, hangs, or ended otherwise than the test expects.</summary>
public sealed class ToolException(string message) : Exception(message);
