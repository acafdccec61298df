using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace OciOstree.Testing;

/// <summary>Runs other programs. A missing one fails the test: a test that skips itself proves nothing.</summary>
public static class Tool
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Runs <paramref name="program"/> (found in PATH, or a path) to its end.</summary>
    public static ToolResult Run(string program, params string[] arguments) => Run(new ToolStart(program), arguments);

    public static ToolResult Run(ToolStart start, params string[] arguments)
    {
        string command = start.Program + string.Concat(arguments.Select(argument => " " + argument));
        using Process process = Start(start, arguments, command);
        using var output = new MemoryStream();
        var error = new StringBuilder();
        // Both pipes and the input are served at once: a program blocked on one of them would hang otherwise.
        var outputReader = new Thread(() => process.StandardOutput.BaseStream.CopyTo(output));
        var errorReader = new Thread(() => error.Append(process.StandardError.ReadToEnd()));
        outputReader.Start();
        errorReader.Start();
        try
        {
            process.StandardInput.BaseStream.Write(start.Input ?? []);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program did not read all of its input, which is its right.
        }

        if (!process.WaitForExit(start.Timeout ?? DefaultTimeout))
        {
            process.Kill(entireProcessTree: true);
            throw new ToolException($"{command}: still running after {start.Timeout ?? DefaultTimeout}");
        }

        outputReader.Join();
        errorReader.Join();
        return new ToolResult(command, process.ExitCode, output.ToArray(), error.ToString());
    }

    /// <summary>Runs a line of shell; for what a user would have typed.</summary>
    public static ToolResult Shell(string script, string? directory = null) =>
        Run(new ToolStart("bash") { Directory = directory }, "-euo", "pipefail", "-c", script);

    private static Process Start(ToolStart start, string[] arguments, string command)
    {
        var info = new ProcessStartInfo(start.Program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = start.Directory ?? "",
        };
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        // Messages are compared, and names in them must not depend on the machine's locale or time zone.
        info.Environment["LC_ALL"] = "C.UTF-8";
        info.Environment["TZ"] = "UTC";
        foreach ((string name, string? value) in start.Environment)
            info.Environment[name] = value;
        try
        {
            return Process.Start(info) ?? throw new ToolException($"{command}: did not start");
        }
        catch (Win32Exception e)
        {
            throw new ToolException($"{command}: {e.Message} (is {start.Program} installed?)");
        }
    }
}
