using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>Operations on an open file. <c>path</c> arguments only name the file in messages.</summary>
public static unsafe partial class Files
{
    /// <summary>Opens a file by path, following links.</summary>
    public static SafeFileHandle Open(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0)
    {
        int fd;
        while ((fd = Libc.openat(Libc.AT_FDCWD, path, flags.ToKernel(), mode)) < 0)
            LinuxDirectory.RetryOrThrow("open", path);
        return new SafeFileHandle(fd, ownsHandle: true);
    }

    public static FileStatus Status(SafeFileHandle file, string? path = null)
    {
        StatxBuffer buffer;
        while (Libc.statx(file, "", Libc.AT_EMPTY_PATH, StatxBuffer.MaskBasic | StatxBuffer.MaskMountId, &buffer) != 0)
            LinuxDirectory.RetryOrThrow("stat", path);
        return new FileStatus(buffer);
    }

    /// <summary>The status of a path, links followed or not; null on ENOENT and ENOTDIR.</summary>
    public static FileStatus? TryStatus(string path, bool followLinks = true)
    {
        StatxBuffer buffer;
        int flags = Libc.AT_NO_AUTOMOUNT | (followLinks ? 0 : Libc.AT_SYMLINK_NOFOLLOW);
        while (Libc.statx(Libc.AT_FDCWD, path, flags, StatxBuffer.MaskBasic | StatxBuffer.MaskMountId, &buffer) != 0)
        {
            if (Libc.LastError is Errno.ENOENT or Errno.ENOTDIR)
                return null;
            LinuxDirectory.RetryOrThrow("stat", path);
        }
        return new FileStatus(buffer);
    }

    public static void SetMode(SafeFileHandle file, uint mode, string? path = null)
    {
        while (Libc.fchmod(file, mode & ModeBits.PermissionMask) != 0)
            LinuxDirectory.RetryOrThrow("change the mode of", path);
    }

    public static void SetOwner(SafeFileHandle file, uint uid, uint gid, string? path = null)
    {
        while (Libc.fchown(file, uid, gid) != 0)
            LinuxDirectory.RetryOrThrow("change the owner of", path);
    }

    /// <summary>Sets the modification time; the access time stays.</summary>
    public static void SetModified(SafeFileHandle file, long seconds, uint nanoseconds = 0, string? path = null)
    {
        var times = stackalloc TimeSpecification[2];
        times[0] = new TimeSpecification { Nanoseconds = TimeSpecification.Omit };
        times[1] = new TimeSpecification { Seconds = seconds, Nanoseconds = nanoseconds };
        while (Libc.futimens(file, times) != 0)
            LinuxDirectory.RetryOrThrow("change the times of", path);
    }

    /// <summary><c>fsync(2)</c>.</summary>
    public static void Sync(SafeFileHandle file, string? path = null)
    {
        while (Libc.fsync(file) != 0)
            LinuxDirectory.RetryOrThrow("fsync", path);
    }

    /// <summary><c>fdatasync(2)</c>: the content and its length, not the times.</summary>
    public static void SyncData(SafeFileHandle file, string? path = null)
    {
        while (Libc.fdatasync(file) != 0)
            LinuxDirectory.RetryOrThrow("fdatasync", path);
    }

    public static void SetLength(SafeFileHandle file, long length, string? path = null)
    {
        while (Libc.ftruncate(file, length) != 0)
            LinuxDirectory.RetryOrThrow("truncate", path);
    }

    /// <summary>Reads at the file's position; 0 at the end.</summary>
    public static int Read(SafeFileHandle file, Span<byte> buffer, string? path = null)
    {
        fixed (byte* bytes = buffer)
        {
            nint count;
            while ((count = Libc.read(file, bytes, (nuint)buffer.Length)) < 0)
                LinuxDirectory.RetryOrThrow("read", path);
            return (int)count;
        }
    }

    /// <summary>Reads at an offset without moving the position; 0 at the end.</summary>
    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset, string? path = null)
    {
        fixed (byte* bytes = buffer)
        {
            nint count;
            while ((count = Libc.pread(file, bytes, (nuint)buffer.Length, offset)) < 0)
                LinuxDirectory.RetryOrThrow("read", path);
            return (int)count;
        }
    }

    /// <summary>Writes all of it at the file's position.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> content, string? path = null)
    {
        fixed (byte* start = content)
        {
            for (int done = 0; done < content.Length;)
            {
                nint count = Libc.write(file, start + done, (nuint)(content.Length - done));
                if (count < 0)
                    LinuxDirectory.RetryOrThrow("write", path);
                else
                    done += (int)count;
            }
        }
    }

    /// <summary>Writes all of it at an offset without moving the position.</summary>
    public static void WriteAt(SafeFileHandle file, ReadOnlySpan<byte> content, long offset, string? path = null)
    {
        fixed (byte* start = content)
        {
            for (int done = 0; done < content.Length;)
            {
                nint count = Libc.pwrite(file, start + done, (nuint)(content.Length - done), offset + done);
                if (count < 0)
                    LinuxDirectory.RetryOrThrow("write", path);
                else
                    done += (int)count;
            }
        }
    }

    /// <summary>Reads from the position to the end, EFBIG if that is more than <paramref name="limit"/> bytes.</summary>
    public static byte[] ReadAll(SafeFileHandle file, long limit, string? path = null)
    {
        long size = Status(file, path).Size;
        if (size > limit)
            throw new LinuxException(Errno.EFBIG, "read", path);
        // Files in /proc and /sys claim to be empty, and any file may grow: read on until the end.
        var content = new byte[Math.Clamp(size + 1, 512, Array.MaxLength)];
        int length = 0;
        while (true)
        {
            if (length == content.Length)
                Array.Resize(ref content, (int)Math.Min(content.Length * 2L, Array.MaxLength));
            int count = Read(file, content.AsSpan(length), path);
            if (count == 0)
                break;
            length += count;
            if (length > limit || length == Array.MaxLength)
                throw new LinuxException(Errno.EFBIG, "read", path);
        }
        Array.Resize(ref content, length);
        return content;
    }

    /// <summary>More than any file that an operator writes by hand or by a small tool: keys, origins, policies, lists.</summary>
    public const long NamedFileLimit = 64 << 20;

    /// <summary>Reads a whole file that an operator named. EFBIG beyond <paramref name="limit"/> bytes: what was named may be a device or a disk image.</summary>
    public static byte[] ReadNamed(string path, long limit = NamedFileLimit)
    {
        using SafeFileHandle file = Open(path);
        return ReadAll(file, limit, path);
    }

    /// <summary>A stream over the descriptor, unbuffered. Disposing it closes the descriptor unless <paramref name="leaveOpen"/>.</summary>
    public static Stream AsStream(SafeFileHandle file, bool leaveOpen = false) => new FileDescriptorStream(file, leaveOpen);

    /// <summary>Shares all of the source's extents with the target (<c>FICLONE</c>). False where the file system cannot.</summary>
    public static bool TryClone(SafeFileHandle source, SafeFileHandle target, string? path = null)
    {
        const uint ficlone = 0x4004_9409;
        if (!Kernel.MayTry(KernelAbility.Clone))
            return false;
        while (Libc.ioctl_handle(target, ficlone, source) != 0)
        {
            // EPERM and ETXTBSY come from swap files and immutable ones; a plain copy then says what is wrong.
            if (Libc.LastError is Errno.EOPNOTSUPP or Errno.EXDEV or Errno.EINVAL or Errno.ENOTTY or Errno.ENOSYS or Errno.EPERM or Errno.ETXTBSY or Errno.EISDIR)
                return false;
            LinuxDirectory.RetryOrThrow("clone", path);
        }
        return true;
    }

    /// <summary>
    /// Copies <paramref name="size"/> bytes from the source's start to the target's start, inside the kernel where it can.
    /// Neither position moves. EIO if the source is shorter.
    /// </summary>
    public static void CopyAll(SafeFileHandle source, SafeFileHandle target, long size, string? path = null)
    {
        long done = 0;
        if (Kernel.MayTry(KernelAbility.CopyFileRange))
        {
            while (done < size)
            {
                long from = done, to = done;
                nint count = Libc.copy_file_range(source, &from, target, &to, (nuint)Math.Min(size - done, 1 << 30), 0);
                if (count > 0)
                    done += count;
                else if (count == 0)
                    break;   // the end, or a file in /proc, which says so at once: the loop below knows
                else if (Libc.LastError is Errno.ENOSYS or Errno.EXDEV or Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EPERM or Errno.EBADF or Errno.EIO)
                    break;   // read and write instead, whose error, if any, is the better one
                else
                    LinuxDirectory.RetryOrThrow("copy", path);
            }
        }
        if (done >= size)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            while (done < size)
            {
                int count = ReadAt(source, buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - done)), done, path);
                if (count == 0)
                    throw new LinuxException(Errno.EIO, "copy", path);
                WriteAt(target, buffer.AsSpan(0, count), done, path);
                done += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Tells the kernel how the file will be read; a hint that cannot fail.</summary>
    public static void Advise(SafeFileHandle file, FileAdvice advice, long offset = 0, long length = 0) =>
        _ = Libc.posix_fadvise(file, offset, length, (int)advice);

    /// <summary>Reserves space, so that a full disk is known before the work. False where the file system cannot; ENOSPC throws. The file's length stays.</summary>
    public static bool TryAllocate(SafeFileHandle file, long length, string? path = null)
    {
        const int keepSize = 1;
        if (length <= 0)
            return true;
        while (Libc.fallocate(file, keepSize, 0, length) != 0)
        {
            if (Libc.LastError is Errno.EOPNOTSUPP or Errno.ENOSYS)
                return false;
            LinuxDirectory.RetryOrThrow("allocate", path);
        }
        return true;
    }

    /// <summary>Whether the inode is marked immutable; false where the file system has no such mark.</summary>
    public static bool IsImmutable(SafeFileHandle file, string? path = null) => TryGetInodeFlags(file, out int flags, path) && (flags & ImmutableFlag) != 0;

    /// <summary>Marks the inode immutable or not. False where the file system, or a lack of CAP_LINUX_IMMUTABLE, does not allow it.</summary>
    public static bool TrySetImmutable(SafeFileHandle file, bool immutable, string? path = null)
    {
        const uint setFlags = 0x4008_6602;   // FS_IOC_SETFLAGS, whose argument is an int whatever its number says
        if (!TryGetInodeFlags(file, out int flags, path))
            return false;
        int wanted = immutable ? flags | ImmutableFlag : flags & ~ImmutableFlag;
        if (wanted == flags)
            return true;
        while (Libc.ioctl(file, setFlags, &wanted) != 0)
        {
            if (Libc.LastError is Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.EPERM or Errno.EINVAL)
                return false;
            LinuxDirectory.RetryOrThrow("change the attributes of", path);
        }
        return true;
    }

    private const int ImmutableFlag = 0x10;

    private static bool TryGetInodeFlags(SafeFileHandle file, out int flags, string? path)
    {
        const uint getFlags = 0x8008_6601;
        long word = 0;   // some FUSE servers answer with the long that the ioctl's number promises
        while (Libc.ioctl(file, getFlags, &word) != 0)
        {
            flags = 0;
            if (Libc.LastError is Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.EINVAL or Errno.EPERM)
                return false;
            LinuxDirectory.RetryOrThrow("read the attributes of", path);
        }
        flags = (int)word;
        return true;
    }
}
