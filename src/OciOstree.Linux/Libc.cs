using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// The libc functions used, one declaration each. Only calls whose arguments look the same on x86-64 and arm64, in glibc and musl:
/// no <c>struct stat</c>, and the two open flags that differ are chosen below.
/// </summary>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_REMOVEDIR = 0x200;
    internal const int AT_SYMLINK_FOLLOW = 0x400;
    internal const int AT_NO_AUTOMOUNT = 0x800;
    internal const int AT_EMPTY_PATH = 0x1000;

    private static readonly bool s_arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    internal static int O_DIRECTORY => s_arm ? 0x4000 : 0x1_0000;
    internal static int O_NOFOLLOW => s_arm ? 0x8000 : 0x2_0000;
    internal static int O_TMPFILE => 0x40_0000 | O_DIRECTORY;

    /// <summary>System calls added since 5.1 have one number on every architecture.</summary>
    internal const long SYS_openat2 = 437;

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int openat(int directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int openat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, EntryPoint = "syscall")]
    internal static partial long openat2(long number, SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, OpenHow* how, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int statx(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int flags, uint mask, StatxBuffer* status);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int statx(int directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int flags, uint mask, StatxBuffer* status);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int faccessat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int mode, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint getdents64(SafeFileHandle directory, byte* buffer, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial long lseek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint readlinkat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, byte* buffer, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mkdirat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int symlinkat([MarshalUsing(typeof(FileNameMarshaller))] string target, SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int linkat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, SafeFileHandle toDirectory, [MarshalUsing(typeof(FileNameMarshaller))] string toPath, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int linkat(int directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, SafeFileHandle toDirectory, [MarshalUsing(typeof(FileNameMarshaller))] string toPath, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int renameat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, SafeFileHandle toDirectory, [MarshalUsing(typeof(FileNameMarshaller))] string toPath);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int renameat2(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, SafeFileHandle toDirectory, [MarshalUsing(typeof(FileNameMarshaller))] string toPath, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int unlinkat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mknodat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, uint mode, ulong device);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchmodat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, uint mode, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchmod(SafeFileHandle file, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchownat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, uint uid, uint gid, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchown(SafeFileHandle file, uint uid, uint gid);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int utimensat(SafeFileHandle directory, [MarshalUsing(typeof(FileNameMarshaller))] string path, TimeSpecification* times, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int futimens(SafeFileHandle file, TimeSpecification* times);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fsync(SafeFileHandle file);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fdatasync(SafeFileHandle file);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int syncfs(SafeFileHandle file);

    // struct statfs begins with f_type, a long, on every 64-bit Linux; the rest is not looked at.
    [LibraryImport(Library, SetLastError = true)]
    internal static unsafe partial int fstatfs(SafeFileHandle file, long* statfs);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ftruncate(SafeFileHandle file, long size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fallocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport(Library)]
    internal static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint pread(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint write(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint pwrite(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint copy_file_range(SafeFileHandle source, long* sourceOffset, SafeFileHandle target, long* targetOffset, nuint length, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ioctl(SafeFileHandle file, nuint request, void* argument);

    [LibraryImport(Library, SetLastError = true, EntryPoint = "ioctl")]
    internal static partial int ioctl_handle(SafeFileHandle file, nuint request, SafeFileHandle argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(SafeFileHandle file, int command, LockRange* argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint flistxattr(SafeFileHandle file, byte* list, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint llistxattr([MarshalUsing(typeof(FileNameMarshaller))] string path, byte* list, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint fgetxattr(SafeFileHandle file, byte* name, byte* value, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint lgetxattr([MarshalUsing(typeof(FileNameMarshaller))] string path, byte* name, byte* value, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fsetxattr(SafeFileHandle file, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int lsetxattr([MarshalUsing(typeof(FileNameMarshaller))] string path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fremovexattr(SafeFileHandle file, byte* name);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int lremovexattr([MarshalUsing(typeof(FileNameMarshaller))] string path, byte* name);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mount([MarshalUsing(typeof(FileNameMarshaller))] string? source, [MarshalUsing(typeof(FileNameMarshaller))] string target, [MarshalUsing(typeof(FileNameMarshaller))] string? type, nuint flags, [MarshalUsing(typeof(FileNameMarshaller))] string? data);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int umount2([MarshalUsing(typeof(FileNameMarshaller))] string target, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int unshare(int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchdir(SafeFileHandle directory);

    [LibraryImport(Library, SetLastError = true, EntryPoint = "syscall")]
    internal static partial long kexec_file_load(long number, int kernel, int initramfs, nuint length, byte* commandLine, nuint flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int execve(string path, string?[] arguments, string?[] environment);

    [LibraryImport(Library)]
    internal static partial uint geteuid();

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fstatvfs(SafeFileHandle file, VolumeBuffer* volume);

    /// <summary>Why the last call failed.</summary>
    internal static Errno LastError => (Errno)Marshal.GetLastPInvokeError();
}

/// <summary><c>struct open_how</c> of openat2(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenHow
{
    internal const ulong NoMagicLinks = 0x02;
    internal const ulong InRoot = 0x10;

    internal ulong Flags;
    internal ulong Mode;
    internal ulong Resolve;
}

/// <summary><c>struct timespec</c> with a 64-bit <c>time_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpecification
{
    internal const long Omit = 0x3FFF_FFFE;

    internal long Seconds;
    internal long Nanoseconds;
}

/// <summary><c>struct flock</c> with a 64-bit <c>off_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LockRange
{
    internal short Type;
    internal short Whence;
    internal long Start;
    internal long Length;
    internal int ProcessId;
}

/// <summary><c>struct statvfs</c> where <c>unsigned long</c> has 64 bits.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct VolumeBuffer
{
    internal ulong BlockSize;
    internal ulong FragmentSize;
    internal ulong Blocks;
    internal ulong FreeBlocks;
    internal ulong AvailableBlocks;
    internal ulong Inodes;
    internal ulong FreeInodes;
    internal ulong AvailableInodes;
    internal ulong Id;
    internal ulong Flags;
    internal ulong LongestName;
}

/// <summary><c>struct fsverity_enable_arg</c> (linux/fsverity.h).</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct VerityEnable
{
    internal uint Version;
    internal uint HashAlgorithm;
    internal uint BlockSize;
    internal uint SaltSize;
    internal ulong Salt;
    internal uint SignatureSize;
    private readonly uint reserved;
    internal ulong Signature;
}
