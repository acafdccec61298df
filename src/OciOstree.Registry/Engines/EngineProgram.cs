using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace OciOstree.Registry.Engines;

/// <summary>Programs that know the local image store, whose format is theirs alone.</summary>
internal static partial class EngineProgram
{
    private const int ErrorLimit = 64 << 10;

    /// <summary>Runs the first of several commands whose program exists.</summary>
    internal static void RunFirst(string what, CancellationToken cancellationToken, params ReadOnlySpan<string[]> commands)
    {
        var missing = new List<string>();
        foreach (var command in commands)
        {
            if (TryRun(what, command, cancellationToken))
            {
                return;
            }

            missing.Add(command[0]);
        }

        throw new RegistryException($"{what} needs {string.Join(" or ", missing)}, which is not installed");
    }

    /// <summary>What a line of a log says: <c>time="…" level=fatal msg="…"</c>.</summary>
    private static string Message(string line) => StorePlace().Replace(
        line.IndexOf(" msg=\"", StringComparison.Ordinal) is >= 0 and var at && line.EndsWith('"') ? line[(at + 6)..^1].Replace("\\\"", "\"", StringComparison.Ordinal) : line,
        "");

    // In each name of an image, where the store is: "[overlay@/var/lib/containers/storage+/run/containers/storage]".
    [GeneratedRegex(@"\[\w+@[^\]]*\]")]
    private static partial Regex StorePlace();

    private static bool TryRun(string what, string[] command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new Win32Exception();
        }
        catch (Win32Exception)
        {
            return false;
        }

        using (process)
        {
            using var cancelled = cancellationToken.Register(() => process.Kill(entireProcessTree: true));
            var said = new StringBuilder();
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is { Length: > 0 } text && said.Length < ErrorLimit)
                {
                    said.Clear().Append(text);
                }
            };
            process.StandardInput.Close();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            process.WaitForExit();
            cancellationToken.ThrowIfCancellationRequested();

            // The last line is where these programs say why.
            return process.ExitCode == 0 ? true : throw new RegistryException($"{what}: {command[0]}: {Printable.Clip(Message(said.ToString()))}");
        }
    }
}
