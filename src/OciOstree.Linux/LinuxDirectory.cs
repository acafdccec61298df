using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// An open directory. Every operation is relative to its descriptor, so nobody who renames a parent can redirect it, and follows no link in the last
/// component unless asked to. A name may hold slashes; then the kernel follows links in the components before the last
/// (<see cref="OpenInRoot"/> is for paths that come from strangers). Safe for use by many threads.
/// </summary>
public sealed partial class LinuxDirectory : IDisposable
{
    private LinuxDirectory(SafeFileHandle handle, string path)
    {
        Handle = handle;
        Path = path;
    }

    public SafeFileHandle Handle { get; }

    /// <summary>How the directory was reached; for messages only.</summary>
    public string Path { get; }

    /// <summary>Opens a directory by path, following links.</summary>
    public static LinuxDirectory Open(string path)
    {
        int fd;
        while ((fd = Libc.openat(Libc.AT_FDCWD, path, Libc.O_DIRECTORY | OpenFlagsExtensions.CloseOnExec, 0)) < 0)
            RetryOrThrow("open", path);
        return new LinuxDirectory(new SafeFileHandle(fd, ownsHandle: true), path);
    }

    /// <summary>As <see cref="Open"/>, null if nothing is there.</summary>
    public static LinuxDirectory? TryOpen(string path)
    {
        int fd;
        while ((fd = Libc.openat(Libc.AT_FDCWD, path, Libc.O_DIRECTORY | OpenFlagsExtensions.CloseOnExec, 0)) < 0)
        {
            if (Libc.LastError == Errno.ENOENT)
                return null;
            RetryOrThrow("open", path);
        }
        return new LinuxDirectory(new SafeFileHandle(fd, ownsHandle: true), path);
    }

    /// <summary>Takes over a descriptor of a directory.</summary>
    public static LinuxDirectory FromHandle(SafeFileHandle handle, string path) => new(handle, path);

    public LinuxDirectory OpenDirectory(string name, bool followLinks = false) =>
        new(OpenFile(name, DirectoryFlags(followLinks)), PathOf(name));

    /// <summary>As <see cref="OpenDirectory"/>, null if the name does not exist. Something that is no directory still throws.</summary>
    public LinuxDirectory? TryOpenDirectory(string name, bool followLinks = false) =>
        TryOpenFile(name, DirectoryFlags(followLinks)) is { } handle ? new LinuxDirectory(handle, PathOf(name)) : null;

    /// <summary>A second descriptor of the same directory, with its own read position.</summary>
    public LinuxDirectory Duplicate() => new(OpenFile(".", OpenFlags.Directory), Path);

    public void Dispose() => Handle.Dispose();

    /// <summary>Opens a file. With <see cref="OpenFlags.Create"/> a new file gets <paramref name="mode"/> less the umask: set the mode explicitly where it matters.</summary>
    public SafeFileHandle OpenFile(string name, OpenFlags flags = OpenFlags.ReadOnly | OpenFlags.NoFollow, uint mode = 0)
    {
        int fd;
        while ((fd = Libc.openat(Handle, name, flags.ToKernel(), mode)) < 0)
            RetryOrThrow("open", name, this);
        return new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>As <see cref="OpenFile"/>, null on ENOENT.</summary>
    public SafeFileHandle? TryOpenFile(string name, OpenFlags flags = OpenFlags.ReadOnly | OpenFlags.NoFollow, uint mode = 0)
    {
        int fd;
        while ((fd = Libc.openat(Handle, name, flags.ToKernel(), mode)) < 0)
        {
            if (Libc.LastError == Errno.ENOENT)
                return null;
            RetryOrThrow("open", name, this);
        }
        return new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>The status of the directory itself.</summary>
    public FileStatus Status() => Files.Status(Handle, Path);

    public FileStatus Status(string name, bool followLinks = false)
    {
        var errno = StatusOf(name, followLinks, out var status);
        return errno == Errno.None ? status : throw Failure(errno, "stat", name);
    }

    /// <summary>As <see cref="Status(string, bool)"/>, null on ENOENT and ENOTDIR.</summary>
    public FileStatus? TryStatus(string name, bool followLinks = false) => StatusOf(name, followLinks, out var status) switch
    {
        Errno.None => status,
        Errno.ENOENT or Errno.ENOTDIR => null,
        var errno => throw Failure(errno, "stat", name),
    };

    /// <summary>Whether the name exists, be it a dangling link.</summary>
    public bool Exists(string name)
    {
        while (Libc.faccessat(Handle, name, 0, Libc.AT_SYMLINK_NOFOLLOW) != 0)
        {
            switch (Libc.LastError)
            {
                case Errno.EINTR:
                    continue;
                case Errno.ENOENT or Errno.ENOTDIR:
                    return false;
                default:
                    return TryStatus(name) is not null;   // faccessat's flag is the libc's own before 5.8
            }
        }
        return true;
    }

    /// <summary>Makes the directory's entries durable.</summary>
    public void Sync() => Files.Sync(Handle, Path);

    /// <summary>The file system's magic number as <c>statfs(2)</c> lists them, such as 0xEF53 for ext4 or 0x4D44 for FAT.</summary>
    public unsafe long FileSystemType()
    {
        long* buffer = stackalloc long[64];
        while (Libc.fstatfs(Handle, buffer) != 0)
            RetryOrThrow("statfs", Path);
        return buffer[0];
    }

    /// <summary>Flushes the whole file system that holds the directory.</summary>
    public void SyncFileSystem()
    {
        while (Libc.syncfs(Handle) != 0)
            RetryOrThrow("syncfs", Path);
    }

    /// <summary>The name with this directory's path before it, for messages.</summary>
    public string PathOf(string name) =>
        name.StartsWith('/') || Path.Length == 0 ? name
        : name == "." ? Path
        : Path.EndsWith('/') ? Path + name
        : $"{Path}/{name}";

    public override string ToString() => Path;

    internal LinuxException Failure(Errno errno, string operation, string name) => new(errno, operation, PathOf(name));

    private unsafe Errno StatusOf(string name, bool followLinks, out FileStatus status)
    {
        StatxBuffer buffer;
        int flags = Libc.AT_NO_AUTOMOUNT | (followLinks ? 0 : Libc.AT_SYMLINK_NOFOLLOW);
        while (Libc.statx(Handle, name, flags, StatxBuffer.MaskBasic | StatxBuffer.MaskMountId, &buffer) != 0)
        {
            var errno = Libc.LastError;
            if (errno == Errno.EINTR)
                continue;
            status = default;
            return errno;
        }
        status = new FileStatus(buffer);
        return Errno.None;
    }

    private static OpenFlags DirectoryFlags(bool followLinks) =>
        followLinks ? OpenFlags.Directory : OpenFlags.Directory | OpenFlags.NoFollow;

    /// <summary>Returns if the last call was merely interrupted.</summary>
    internal static void RetryOrThrow(string operation, string? name, LinuxDirectory? directory = null)
    {
        var errno = Libc.LastError;
        if (errno == Errno.EINTR)
            return;
        throw new LinuxException(errno, operation, directory is null || name is null ? name : directory.PathOf(name));
    }
}
