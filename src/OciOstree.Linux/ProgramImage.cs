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

    private static IEnumerable<string> Split(byte[] commandLine)
    {
        string text = Encoding.UTF8.GetString(commandLine);
        return text.TrimEnd('\0').Split('\0');
    }
}
