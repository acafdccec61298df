using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace OciOstree.Sysroot;

/// <summary>The programs that an installation needs: they know file systems and boot loaders.</summary>
internal static class ExternalProgram
{
    /// <summary>Runs to the end; returns what it printed.</summary>
    /// <exception cref="SysrootException">It is not installed, or failed: with the last line of what it said.</exception>
    public static string Run(string program, IEnumerable<string> arguments, string? input = null)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = new StringBuilder();
            process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
            process.BeginErrorReadLine();
            process.StandardInput.Write(input ?? "");
            process.StandardInput.Close();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                string last = (errors.ToString().Trim() is { Length: > 0 } said ? said : output.Trim()).Split('\n')[^1].Trim();
                throw new SysrootException($"{program}: exit code {process.ExitCode}{(last.Length > 0 ? $": {last}" : "")}");
            }
            return output;
        }
        catch (Win32Exception e)
        {
            throw new SysrootException($"{program} is needed", e);
        }
    }
}
