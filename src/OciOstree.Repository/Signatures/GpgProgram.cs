using System.ComponentModel;
using System.Diagnostics;
using System.Text;

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
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C.UTF-8";
        Process? started;
        try
        {
            started = Process.Start(start);
        }
        catch (Win32Exception e)
        {
            throw new RepositoryException($"OpenPGP signatures need {program}, which cannot be run", e);
        }
        using Process process = started!;
        string error = "";
        Thread complaints = new(() => error = process.StandardError.ReadToEnd());
        complaints.Start();
        Thread? feeder = null;
        if (input is null)
            process.StandardInput.Close();
        else
        {
            feeder = new Thread(() => Feed(process, input));
            feeder.Start();
        }
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        feeder?.Join();
        complaints.Join();
        return new GpgProgram(process.ExitCode, output.ToArray(), error);
    }

    private static void Feed(Process process, byte[] input)
    {
        try
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want all of it; its exit code says why.
        }
    }
}
