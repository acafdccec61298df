using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>One run of <c>gpg</c> or <c>gpgv</c>.</summary>
/// <param name="Output">What it wrote to its standard output.</param>
/// <param name="Error">What it said, and its status lines where they were asked for there.</param>
internal sealed record GpgProgram(int ExitCode, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);

    /// <summary>Its last complaint, without its name.</summary>
    public string Complaint => Error.Split('\n').LastOrDefault(line => line.StartsWith("gpg", StringComparison.Ordinal)) is { } line
        ? line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim() : $"it ended with exit code {ExitCode}";

    /// <summary>The words of each status line among the lines of a text.</summary>
    public static IEnumerable<string[]> StatusLines(string text) =>
        text.Split('\n').Where(line => line.StartsWith("[GNUPG:] ", StringComparison.Ordinal)).Select(line => line["[GNUPG:] ".Length..].TrimEnd().Split(' '));

    /// <exception cref="RepositoryException">It cannot be run.</exception>
    public static GpgProgram Run(string program, IEnumerable<string> arguments, byte[]? input = null)
    {
        try
        {
            ExternalProgram run = ExternalProgram.Run(program, arguments, input, [new("LC_ALL", "C.UTF-8")]);
            return new GpgProgram(run.ExitCode, run.Output, run.Error);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"OpenPGP signatures need {program}, which cannot be run", e);
        }
        catch (IOException e)
        {
            throw new RepositoryException("OpenPGP", e);
        }
    }
}
