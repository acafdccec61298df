namespace OciOstree.Cli;

/// <summary>Words that parse but make no sense together: exits as a wrong usage, not as a failure.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="withHelp">Whether the verb's help is shown before it, as ostree does for missing words.</param>
internal sealed class UsageException(string message, bool withHelp = false) : Exception(message)
{
    public bool WithHelp { get; } = withHelp;
}
