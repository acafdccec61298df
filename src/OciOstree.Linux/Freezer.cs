using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// Stops and resumes all writing to a file system (<c>FIFREEZE</c>, <c>FITHAW</c>). Freezing brings everything to its place, the journal included.
/// Whoever freezes must thaw: until then every writer to the file system hangs.
/// </summary>
public static class Freezer
{
    /// <returns>None, or why the file system is not frozen: EOPNOTSUPP, EPERM, EBUSY when it already is.</returns>
    public static unsafe Errno Freeze(SafeFileHandle directory)
    {
        const nuint freeze = 0xC004_5877;
        return Control(directory, freeze);
    }

    /// <returns>None, or EINVAL when it was not frozen.</returns>
    public static unsafe Errno Thaw(SafeFileHandle directory)
    {
        const nuint thaw = 0xC004_5878;
        return Control(directory, thaw);
    }

    private static unsafe Errno Control(SafeFileHandle directory, nuint request)
    {
        while (Libc.ioctl(directory, request, null) != 0)
        {
            if (Libc.LastError != Errno.EINTR)
                return Libc.LastError;
        }
        return Errno.None;
    }
}
