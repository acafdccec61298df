using System.Runtime.InteropServices;

namespace OciOstree.Linux;

/// <summary>What the kernel says of an inode, from <c>statx(2)</c>: one layout on every architecture.</summary>
public readonly record struct FileStatus
{
    internal FileStatus(in StatxBuffer s)
    {
        Mode = s.Mode;
        Uid = s.Uid;
        Gid = s.Gid;
        LinkCount = s.LinkCount;
        Size = (long)s.Size;
        Blocks512 = (long)s.Blocks;
        Inode = s.Inode;
        Device = MakeDevice(s.DeviceMajor, s.DeviceMinor);
        RawDeviceMajor = s.RawDeviceMajor;
        RawDeviceMinor = s.RawDeviceMinor;
        ModifiedSeconds = s.Modified.Seconds;
        ModifiedNanoseconds = s.Modified.Nanoseconds;
        ChangedSeconds = s.Changed.Seconds;
        ChangedNanoseconds = s.Changed.Nanoseconds;
        Attributes = s.Attributes & s.AttributesMask;
        MountId = (s.Mask & StatxBuffer.MaskMountId) != 0 ? s.MountId : 0;
    }

    /// <summary><c>st_mode</c>: type and permission bits.</summary>
    public uint Mode { get; }

    /// <summary>Permission bits with setuid, setgid and sticky (07777).</summary>
    public uint Permissions => Mode & 0xFFF;

    public FileType Type => FileStatus.TypeOf(Mode);
    public bool IsDirectory => Type == FileType.Directory;
    public bool IsRegularFile => Type == FileType.RegularFile;
    public bool IsSymbolicLink => Type == FileType.SymbolicLink;
    public uint Uid { get; }
    public uint Gid { get; }
    public uint LinkCount { get; }
    /// <summary>Bytes; for a symbolic link the length of its target.</summary>
    public long Size { get; }
    /// <summary>Allocated blocks of 512 bytes, whatever the file system's own block size.</summary>
    public long Blocks512 { get; }
    public ulong Inode { get; }
    /// <summary>The device the inode lives on, as <c>dev_t</c> of glibc encodes it.</summary>
    public ulong Device { get; }
    public uint RawDeviceMajor { get; }
    public uint RawDeviceMinor { get; }
    public long ModifiedSeconds { get; }
    public uint ModifiedNanoseconds { get; }
    public long ChangedSeconds { get; }
    public uint ChangedNanoseconds { get; }

    /// <summary>The mount through which the inode was reached; 0 where the kernel (before 5.8) does not say.</summary>
    public ulong MountId { get; }

    /// <summary>False also where the file system does not know the attribute.</summary>
    public bool IsImmutable => (Attributes & 0x10) != 0;

    /// <summary>Whether the inode is the root of a mount.</summary>
    public bool IsMountRoot => (Attributes & 0x2000) != 0;

    public bool IsVerity => (Attributes & 0x10_0000) != 0;

    private ulong Attributes { get; }

    /// <summary>Whether both describe one inode.</summary>
    public bool IsSameFile(in FileStatus other) => Inode == other.Inode && Device == other.Device;

    /// <summary>The type in the upper bits of an <c>st_mode</c>.</summary>
    public static FileType TypeOf(uint mode) => (mode & ModeBits.TypeMask) switch
    {
        ModeBits.Fifo => FileType.Fifo,
        ModeBits.CharacterDevice => FileType.CharacterDevice,
        ModeBits.Directory => FileType.Directory,
        ModeBits.BlockDevice => FileType.BlockDevice,
        ModeBits.RegularFile => FileType.RegularFile,
        ModeBits.SymbolicLink => FileType.SymbolicLink,
        ModeBits.Socket => FileType.Socket,
        _ => FileType.Unknown,
    };

    /// <summary><c>makedev(3)</c>.</summary>
    internal static ulong MakeDevice(uint major, uint minor) =>
        ((ulong)(major & 0xFFFF_F000) << 32) | ((ulong)(major & 0xFFF) << 8) | ((ulong)(minor & 0xFFFF_FF00) << 12) | (minor & 0xFF);
}

[StructLayout(LayoutKind.Sequential)]
internal struct StatxTimestamp
{
    internal long Seconds;
    internal uint Nanoseconds;
    private readonly int reserved;
}

/// <summary><c>struct statx</c> (linux/stat.h), 256 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatxBuffer
{
    internal const uint MaskBasic = 0x7FF;
    internal const uint MaskMountId = 0x1000;

    internal uint Mask;
    internal uint BlockSize;
    internal ulong Attributes;
    internal uint LinkCount;
    internal uint Uid;
    internal uint Gid;
    internal ushort Mode;
    private readonly ushort spare0;
    internal ulong Inode;
    internal ulong Size;
    internal ulong Blocks;
    internal ulong AttributesMask;
    internal StatxTimestamp Accessed;
    internal StatxTimestamp Born;
    internal StatxTimestamp Changed;
    internal StatxTimestamp Modified;
    internal uint RawDeviceMajor;
    internal uint RawDeviceMinor;
    internal uint DeviceMajor;
    internal uint DeviceMinor;
    internal ulong MountId;
}
