using System.Text;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Other programs that deployments and installations need, which know init systems, file systems and boot loaders.</summary>
internal static class RequiredProgram
{
    /// <summary>Runs to the end; returns what it printed.</summary>
    /// <exception cref="SysrootException">It is not installed, or failed: with the last line of what it said.</exception>
    public static string Run(
        string program, IEnumerable<string> arguments, string? input = null, IEnumerable<KeyValuePair<string, string>>? environment = null, string? workingDirectory = null)
    {
        try
        {
            ExternalProgram run = ExternalProgram.Run(program, arguments, input is null ? null : Encoding.UTF8.GetBytes(input), environment, workingDirectory);
            return run.ExitCode == 0 ? run.Text : throw new SysrootException(run.Failure(program));
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            throw new SysrootException($"{program} is needed", e);
        }
        catch (IOException e)
        {
            throw new SysrootException($"Running {program}", e);
        }
    }
}
