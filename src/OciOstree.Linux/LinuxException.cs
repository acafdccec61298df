using System.Runtime.InteropServices;

namespace OciOstree.Linux;

/// <summary>A system call that failed: what was asked, of which path, and the kernel's reason, on one line.</summary>
public sealed class LinuxException : IOException
{
    public LinuxException(Errno errno, string operation, string? path = null)
        : base(Describe(errno, operation, path), (int)errno)
    {
        Errno = errno;
        Operation = operation;
        Path = path;
    }

    public Errno Errno { get; }

    /// <summary>The verb of the failed call, such as <c>open</c> or <c>rename</c>.</summary>
    public string Operation { get; }

    /// <summary>The path as far as it is known; relative paths are relative to whatever the caller opened.</summary>
    public string? Path { get; }

    /// <summary>The kernel's words for an error number, such as <c>No such file or directory</c>.</summary>
    public static string Explain(Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);

    private static string Describe(Errno errno, string operation, string? path) =>
        path is null ? $"{operation}: {Explain(errno)}" : $"{operation} {FileName.ForDisplay(path)}: {Explain(errno)}";
}
