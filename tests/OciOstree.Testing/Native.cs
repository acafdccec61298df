using System.Runtime.InteropServices;
using System.Text;

namespace OciOstree.Testing;

/// <summary>
/// The few system calls that .NET has no name for. They are declared here again rather than taken from the
/// product: a tree made and looked at with the code under test could not show its mistakes.
/// </summary>
internal static partial class Native
{
    public const int NoFollow = 0x100;
    private const int AtCurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;

    [StructLayout(LayoutKind.Sequential)]
    public struct Statx
    {
        public uint Mask, BlockSize;
        public ulong Attributes;
        public uint LinkCount, Uid, Gid;
        public ushort Mode, Spare0;
        public ulong Inode, Size, Blocks, AttributesMask;
        public long AccessSeconds; public uint AccessNanoseconds; public int Spare1;
        public long BirthSeconds; public uint BirthNanoseconds; public int Spare2;
        public long ChangeSeconds; public uint ChangeNanoseconds; public int Spare3;
        public long ModifiedSeconds; public uint ModifiedNanoseconds; public int Spare4;
        public uint RawMajor, RawMinor, DeviceMajor, DeviceMinor;
        public ulong Spare5, Spare6, Spare7, Spare8, Spare9, Spare10, Spare11, Spare12, Spare13, Spare14, Spare15, Spare16, Spare17, Spare18;
    }

    public static Statx Status(string path)
    {
        Check(statx(AtCurrentDirectory, path, NoFollow, BasicStats, out Statx status), "statx", path);
        return status;
    }

    public static void ChangeMode(string path, uint mode) => Check(chmod(path, mode), "chmod", path);

    public static void ChangeOwner(string path, uint uid, uint gid) => Check(lchown(path, uid, gid), "lchown", path);

    public static void MakeHardLink(string existing, string path) => Check(link(existing, path), "link", path);

    public static void MakeSymbolicLink(string target, string path) => Check(symlink(target, path), "symlink", path);

    public static void MakeFifo(string path) => Check(mkfifo(path, 0x1a4), "mkfifo", path);

    public static void SetXattr(string path, string name, byte[] value) =>
        Check(lsetxattr(path, name, value, (nuint)value.Length, 0), "lsetxattr " + name, path);

    public static List<(string Name, byte[] Value)> Xattrs(string path)
    {
        byte[] names = new byte[65536];
        nint length = llistxattr(path, names, (nuint)names.Length);
        Check((int)length, "llistxattr", path);
        var xattrs = new List<(string, byte[])>();
        foreach (string name in Encoding.Latin1.GetString(names, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] value = new byte[65536];
            // Latin-1 carries the name's bytes, which need not be UTF-8, there and back.
            nint size = lgetxattr(path, Encoding.Latin1.GetBytes(name + "\0"), value, (nuint)value.Length);
            Check((int)size, "lgetxattr " + name, path);
            xattrs.Add((name, value[..(int)size]));
        }

        xattrs.Sort((a, b) => string.CompareOrdinal(a.Item1, b.Item1));
        return xattrs;
    }

    private static void Check(int result, string operation, string path)
    {
        if (result < 0)
            throw new IOException($"{operation} {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out Statx status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlink(string target, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lsetxattr(string path, string name, byte[] value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint llistxattr(string path, byte[] names, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint lgetxattr(string path, byte[] name, byte[] value, nuint size);
}
