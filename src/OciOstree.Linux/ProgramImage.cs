using System.Text;

namespace OciOstree.Linux;

/// <summary>The program that this process runs.</summary>
public static class ProgramImage
{
    /// <summary>
    /// Starts the running program again from its beginning, with the same arguments, in the same process: what the calling thread has changed for itself, such as its
    /// mount namespace, then holds for all of it. Returns only by throwing.
    /// </summary>
    /// <param name="variable">Set in the new environment, so that the program can tell.</param>
    /// <param name="value">The variable's value.</param>
    public static void StartAgain(string variable, string value)
    {
        // From /proc: the runtime's own list lacks what it was called as.
        List<string?> arguments = [.. Split(File.ReadAllBytes("/proc/self/cmdline")), null];
        string[] environment = [.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Where(e => (string)e.Key != variable).Select(e => $"{e.Key}={e.Value}")];
        Libc.execve("/proc/self/exe", [.. arguments], [.. environment, $"{variable}={value}", null]);
        throw new LinuxException(Libc.LastError, "execute", "/proc/self/exe");
    }

    /// <summary>
    /// What the executable was told before the program's own arguments: the assembly to run and how, where <c>/proc/self/exe</c> is the runtime; nothing for a native executable.
    /// </summary>
    public static IReadOnlyList<string> HostArguments { get; } = FindHostArguments();

    private static string[] FindHostArguments()
    {
        string program = Environment.GetCommandLineArgs()[0];
        string[] words = Split(File.ReadAllBytes("/proc/self/cmdline"));
        int assembly = program.EndsWith(".dll", StringComparison.Ordinal) ? Array.FindIndex(words, word => word.EndsWith(".dll", StringComparison.Ordinal) && System.IO.Path.GetFullPath(word) == program) : -1;
        return assembly < 0 ? [] : words[1..(assembly + 1)];
    }

    /// <summary>Each word ends in a NUL, the last one, too, which may be empty.</summary>
    internal static string[] Split(ReadOnlySpan<byte> commandLine) =>
        Encoding.UTF8.GetString(commandLine.EndsWith((byte)0) ? commandLine[..^1] : commandLine).Split('\0');
}
