using System.Diagnostics;
using System.Text;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>Kernel arguments as a text to edit: one a line, lines with <c>#</c> in front are explanations.</summary>
internal static class KernelArgumentsEditor
{
    private const string Explanation = """
        # Kernel arguments of the next boot, one a line; lines that begin with # are left out.
        # An empty file changes nothing.

        """;

    /// <exception cref="SysrootException">The editor failed.</exception>
    public static KernelArguments Edit(KernelArguments arguments)
    {
        var path = Path.Combine(Path.GetTempPath(), $"kargs-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllText(path, Explanation + string.Concat(arguments.ToList().Where(KargsCommand.IsOwners).Select(word => word + "\n")));
            var editor = new[] { "VISUAL", "EDITOR" }.Select(Environment.GetEnvironmentVariable).FirstOrDefault(name => !string.IsNullOrEmpty(name)) ?? "vi";
            // The variable may hold options, too: a shell takes it apart as everybody does.
            using (var process = Process.Start("/bin/sh", ["-c", $"{editor} \"$1\"", "editor", path]))
            {
                process.WaitForExit();
                if (process.ExitCode != 0)
                {
                    throw new SysrootException($"{editor}: exit code {process.ExitCode}, nothing is changed");
                }
            }

            var words = Encoding.UTF8.GetString(Files.ReadNamed(path)).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
            return words.Count == 0 ? arguments : KernelArguments.From(words);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
