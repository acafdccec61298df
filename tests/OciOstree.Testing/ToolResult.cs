using System.Text;

namespace OciOstree.Testing;

/// <summary>What a program said and how it ended.</summary>
public sealed record ToolResult(string Command, int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>The output without the newline at its end.</summary>
    public string OutputLine => Output.TrimEnd('\n');

    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>This result, if the program succeeded.</summary>
    /// <exception cref="ToolException">It did not; the message has the command and what it said.</exception>
    public ToolResult Ok() => ExitCode == 0 ? this : throw new ToolException($"{Command}: exit code {ExitCode}\n{Error}{Output}");

    /// <summary>This result, if the program ended with <paramref name="exitCode"/>.</summary>
    public ToolResult Failed(int exitCode = 1) =>
        ExitCode == exitCode ? this : throw new ToolException($"{Command}: exit code {ExitCode}, expected {exitCode}\n{Error}{Output}");
}
