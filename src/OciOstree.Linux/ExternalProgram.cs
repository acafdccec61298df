using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace OciOstree.Linux;

/// <summary>One run of another program, from its start to its end, with what it said held in bounds: a program that talks without end must not fill the memory of who asked it.</summary>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error: when that is longer than <see cref="ErrorLimit"/>, the end of it, from a line's start.</param>
public sealed record ExternalProgram(int ExitCode, byte[] Output, string Error)
{
    /// <summary>In bytes; a program that prints more is stopped.</summary>
    public const int OutputLimit = 64 << 20;

    /// <summary>In bytes. Why a program failed stands at the end of what it said.</summary>
    public const int ErrorLimit = 1 << 20;

    /// <summary><see cref="Output"/> as UTF-8.</summary>
    public string Text => Encoding.UTF8.GetString(Output);

    /// <summary>The last line that says something, of its complaints or else of its output; empty if it said nothing.</summary>
    public string LastLine => LastLineOf(Error) is { Length: > 0 } line ? line : LastLineOf(Text);

    /// <summary>Why it failed, in one line: <c>NAME: exit code N: WHAT IT SAID LAST</c>.</summary>
    public string Failure(string program) => LastLine is { Length: > 0 } said ? $"{program}: exit code {ExitCode}: {said}" : $"{program}: exit code {ExitCode}";

    /// <summary>Starts a program, feeds it and waits for its end.</summary>
    /// <param name="program">Looked for in <c>PATH</c> if it has no slash.</param>
    /// <param name="arguments">Without the program's name.</param>
    /// <param name="input">Its standard input; closed at once if null.</param>
    /// <param name="environment">Set over what this process has.</param>
    /// <param name="workingDirectory">This process's if null.</param>
    /// <param name="timeLimit">When it is stopped, and all that it started; never if null.</param>
    /// <exception cref="LinuxException">It cannot be run: the error says why, as with <c>ENOENT</c> when there is no such program.</exception>
    /// <exception cref="IOException">It printed more than <see cref="OutputLimit"/>, or ran longer than it may.</exception>
    public static ExternalProgram Run(
        string program, IEnumerable<string> arguments, byte[]? input = null, IEnumerable<KeyValuePair<string, string>>? environment = null, string? workingDirectory = null,
        TimeSpan? timeLimit = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach ((string name, string value) in environment ?? [])
        {
            start.Environment[name] = value;
        }
        using Process process = Start(start);
        // Who has looked at a stream of a process has to close it: the process does not.
        using Stream toProgram = process.StandardInput.BaseStream, said = process.StandardOutput.BaseStream, complained = process.StandardError.BaseStream;
        bool isLate = false;
        using Timer? clock = timeLimit is { } limit ? new Timer(_ => Stop(), null, limit, Timeout.InfiniteTimeSpan) : null;
        string error = "";
        Thread complaints = new(() => error = ReadEnd(complained));
        complaints.Start();
        Thread? feeder = null;
        if (input is null)
        {
            toProgram.Close();
        }
        else
        {
            feeder = new Thread(() => Feed(toProgram, input));
            feeder.Start();
        }
        byte[]? output = ReadAll(said);
        if (output is null)
        {
            process.Kill(entireProcessTree: true);
        }
        process.WaitForExit();
        feeder?.Join();
        complaints.Join();
        return Volatile.Read(ref isLate) ? throw new IOException($"{program} was still running after {timeLimit!.Value.TotalSeconds:0} seconds and was stopped")
            : output is null ? throw new IOException($"{program} printed more than {OutputLimit >> 20} MiB and was stopped")
            : new ExternalProgram(process.ExitCode, output, error);

        void Stop()
        {
            try
            {
                // Of one that has just ended nothing is to be stopped.
                if (!process.HasExited)
                {
                    Volatile.Write(ref isLate, true);
                    process.Kill(entireProcessTree: true);
                }
            }
            catch (InvalidOperationException)
            {
                // It ended, and was done with, between the clock's stroke and here.
            }
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new LinuxException((Errno)e.NativeErrorCode, "run", start.FileName);
        }
    }

    private static void Feed(Stream to, byte[] input)
    {
        try
        {
            to.Write(input);
            to.Close();
        }
        catch (IOException)
        {
            // It did not want all of it; its exit code says why.
        }
    }

    /// <summary>Null when there is too much.</summary>
    private static byte[]? ReadAll(Stream from)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = from.Read(buffer)) > 0)
        {
            if (all.Length + read > OutputLimit)
            {
                return null;
            }
            all.Write(buffer, 0, read);
        }
        return all.ToArray();
    }

    /// <summary>Reads to the end and keeps what comes last.</summary>
    private static string ReadEnd(Stream from)
    {
        byte[] kept = [];
        int length = 0;
        bool cut = false;
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = from.Read(buffer)) > 0)
        {
            if (length + read > 2 * ErrorLimit)
            {
                int keep = ErrorLimit - read;
                kept.AsSpan(length - keep, keep).CopyTo(kept);
                length = keep;
                cut = true;
            }
            if (length + read > kept.Length)
            {
                Array.Resize(ref kept, Math.Min(2 * ErrorLimit, Math.Max(2 * kept.Length, length + read)));
            }
            buffer.AsSpan(0, read).CopyTo(kept.AsSpan(length));
            length += read;
        }
        ReadOnlySpan<byte> end = kept.AsSpan(0, length);
        if (length > ErrorLimit)
        {
            end = end[^ErrorLimit..];
            cut = true;
        }
        if (cut && end.IndexOf((byte)'\n') is >= 0 and var newline)
        {
            end = end[(newline + 1)..];
        }
        return Encoding.UTF8.GetString(end);
    }

    private static string LastLineOf(string text) => text.TrimEnd().Split('\n')[^1].Trim();
}
