namespace OciOstree.Linux;

/// <summary>
/// How to open a file. The numbers are ours where the kernel's differ between architectures (<c>O_DIRECTORY</c>, <c>O_NOFOLLOW</c>);
/// <see cref="OpenFlagsExtensions.ToKernel"/> translates. <c>O_CLOEXEC</c> and <c>O_NOCTTY</c> are always added.
/// </summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    Truncate = 0x200,
    Append = 0x400,
    NonBlocking = 0x800,
    NoFollow = 0x0100_0000,
    Directory = 0x0200_0000,
    NoAccessTime = 0x0004_0000,
    /// <summary><c>O_PATH</c>: names the file without opening it.</summary>
    PathOnly = 0x0020_0000,
}

internal static class OpenFlagsExtensions
{
    internal const int CloseOnExec = 0x8_0000;
    private const int NoControllingTerminal = 0x100;
    private const int Same = 0x3 | 0x40 | 0x80 | 0x200 | 0x400 | 0x800 | 0x4_0000 | 0x20_0000;

    internal static int ToKernel(this OpenFlags flags)
    {
        int kernel = ((int)flags & Same) | CloseOnExec | NoControllingTerminal;
        if ((flags & OpenFlags.PathOnly) != 0)
            kernel &= ~NoControllingTerminal;   // openat2 refuses flags that O_PATH would ignore
        if ((flags & OpenFlags.NoFollow) != 0)
            kernel |= Libc.O_NOFOLLOW;
        if ((flags & OpenFlags.Directory) != 0)
            kernel |= Libc.O_DIRECTORY;
        return kernel;
    }
}
