using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>How full the file system behind a descriptor is, in bytes, from <c>fstatvfs(3)</c>.</summary>
public readonly record struct Volume(long Size, long Free, long Available, long Inodes, long AvailableInodes, bool IsReadOnly)
{
    public static unsafe Volume Of(SafeFileHandle file, string? path = null)
    {
        const ulong readOnly = 1;
        VolumeBuffer v;
        while (Libc.fstatvfs(file, &v) != 0)
            LinuxDirectory.RetryOrThrow("ask the file system of", path);
        UInt128 unit = v.FragmentSize;
        return new Volume(Clamp(v.Blocks * unit), Clamp(v.FreeBlocks * unit), Clamp(v.AvailableBlocks * unit), Clamp(v.Inodes), Clamp(v.AvailableInodes), (v.Flags & readOnly) != 0);
    }

    private static long Clamp(UInt128 value) => (long)UInt128.Min(value, long.MaxValue);
}
