namespace OciOstree.Linux;

/// <summary>Mounting and unmounting, in the mount namespace of the calling thread.</summary>
public static class Mounts
{
    /// <summary><c>mount(2)</c> as it is.</summary>
    public static void Mount(string? source, string target, string? type, MountFlags flags = MountFlags.None, string? data = null)
    {
        while (Libc.mount(source, target, type, (nuint)(uint)flags, data) != 0)
            LinuxDirectory.RetryOrThrow("mount", target);
    }

    /// <summary>Mounts with relative paths in <paramref name="data"/> meant as seen from a directory: they stay short in the table of mounts.</summary>
    public static void MountFrom(LinuxDirectory directory, string? source, string target, string? type, MountFlags flags, string data)
    {
        string absolute = System.IO.Path.GetFullPath(target);
        Namespaces.InDirectory(directory, () => Mount(source, absolute, type, flags, data));
    }

    /// <summary>Shows a directory or file at a second place.</summary>
    public static void Bind(string source, string target, bool recursive = false, bool readOnly = false)
    {
        Mount(source, target, null, MountFlags.Bind | (recursive ? MountFlags.Recursive : 0));
        if (readOnly)   // the first call ignores every other flag
            RemountBind(target, readOnly: true);
    }

    /// <summary>
    /// Makes one mount read-only or writable again. Only this mount changes, other views of the file system stay;
    /// a file system that is itself read-only stays so. Other flags of the mount are kept.
    /// </summary>
    public static void RemountBind(string target, bool readOnly)
    {
        var flags = MountFlags.Bind | MountFlags.Remount | MountFlags.Silent | (readOnly ? MountFlags.ReadOnly : 0);
        if (Find(target) is { } mount)
        {
            flags |= (mount.Options.Contains("nosuid") ? MountFlags.NoSetUid : 0)
                | (mount.Options.Contains("nodev") ? MountFlags.NoDevices : 0)
                | (mount.Options.Contains("noexec") ? MountFlags.NoExecute : 0);
        }
        Mount(null, target, null, flags);
    }

    /// <summary>Makes a mount and the file system under it writable, for all who see it.</summary>
    public static void RemountWritable(string target) => Mount(null, target, null, MountFlags.Remount | MountFlags.Silent);

    /// <summary>Unmounts; <paramref name="detach"/> takes it out of sight now and frees it when its last user is gone.</summary>
    public static void Unmount(string target, bool detach = false)
    {
        const int lazily = 2, noFollow = 8;
        while (Libc.umount2(target, noFollow | (detach ? lazily : 0)) != 0)
            LinuxDirectory.RetryOrThrow("unmount", target);
    }

    /// <summary>Every mount that the calling thread sees.</summary>
    public static List<MountInfo> ReadMountInfo()
    {
        using var proc = LinuxDirectory.Open("/proc/thread-self");
        ReadOnlySpan<byte> rest = proc.ReadAllBytes("mountinfo", 64 << 20);
        var mounts = new List<MountInfo>();
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            if (MountInfo.TryParse(line) is { } mount)
                mounts.Add(mount);
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return mounts;
    }

    /// <summary>The mount that a path lies on; null if the path does not exist or the kernel does not say.</summary>
    public static MountInfo? Find(string path)
    {
        if (Files.TryStatus(path) is not { } status)
            return null;
        var mounts = ReadMountInfo();
        if (status.MountId != 0)
            return mounts.Find(m => m.Id == status.MountId);
        // Kernels before 5.8: the longest mount point above the path, the last mounted of equals.
        string full = System.IO.Path.GetFullPath(path);
        return mounts.Where(m => full == m.MountPoint || full.StartsWith(m.MountPoint.TrimEnd('/') + "/", StringComparison.Ordinal))
            .OrderBy(m => m.MountPoint.Length).LastOrDefault();
    }
}
