namespace OciOstree.Cli;

/// <summary>Words that parse but make no sense together: exits as a wrong usage, not as a failure.</summary>
internal sealed class UsageException(string message) : Exception(message);
