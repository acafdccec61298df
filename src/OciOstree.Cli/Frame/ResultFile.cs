using System.Text;
using OciOstree.Linux;

namespace OciOstree.Cli;

/// <summary>A file that an option asks a result to be written to.</summary>
internal static class ResultFile
{
    private const uint Mode = 0x1a4; // rw-r--r--

    /// <summary>Fails where the file could not be made, before much work is done for it.</summary>
    /// <exception cref="LinuxException">Its directory is not there.</exception>
    public static void Prepare(string? path)
    {
        if (path is not null)
        {
            DirectoryOf(path).Dispose();
        }
    }

    public static void Write(string path, string content) => Write(path, Encoding.UTF8.GetBytes(content));

    /// <summary>Whoever waits for the file sees it whole. What is no file, such as /dev/stdout or a pipe, is written to, not replaced.</summary>
    /// <exception cref="LinuxException">It cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var directory = DirectoryOf(path);
        var name = Path.GetFileName(path);
        if (directory.TryStatus(name) is { Type: not FileType.RegularFile })
        {
            // /dev/stdout may be a file that somebody else's output is in.
            var how = directory.Path is "/dev" || directory.Path.StartsWith("/proc/", StringComparison.Ordinal) ? OpenFlags.Append : OpenFlags.Create | OpenFlags.Truncate;
            using var file = Files.Open(path, OpenFlags.WriteOnly | how, Mode);
            Files.Write(file, content, path);
        }
        else
        {
            directory.ReplaceFile(name, content, Mode, sync: false);
        }
    }

    private static LinuxDirectory DirectoryOf(string path) => LinuxDirectory.Open(Path.GetDirectoryName(path) is { Length: > 0 } directory ? directory : ".");
}
