namespace OciOstree.Linux;

/// <summary>Abilities that not every kernel or file system has, and that this library has a second way for.</summary>
[Flags]
internal enum KernelAbility
{
    None = 0,
    /// <summary><c>O_TMPFILE</c> (ext4, xfs, btrfs, tmpfs; not overlay before 6.3, not NFS).</summary>
    UnnamedFiles = 1,
    /// <summary><c>linkat(AT_EMPTY_PATH)</c>, which needs CAP_DAC_READ_SEARCH.</summary>
    LinkByDescriptor = 2,
    /// <summary><c>openat2(2)</c>, 5.6.</summary>
    OpenAt2 = 4,
    /// <summary><c>renameat2(2)</c> with flags, 3.15, and then only on some file systems.</summary>
    RenameFlags = 8,
    /// <summary><c>copy_file_range(2)</c>, 4.5.</summary>
    CopyFileRange = 16,
    /// <summary><c>F_OFD_SETLK</c>, 3.15.</summary>
    DescriptorLocks = 32,
    /// <summary><c>FICLONE</c>.</summary>
    Clone = 64,
    /// <summary><c>fchmodat(AT_SYMLINK_NOFOLLOW)</c>: 6.6, or libc's own way through /proc.</summary>
    ChangeModeNoFollow = 128,
}

/// <summary>Which abilities to try. Tests take some away from their own thread to walk the second way on a kernel that has the first.</summary>
internal static class Kernel
{
    [ThreadStatic]
    private static KernelAbility t_withheld;

    internal static bool MayTry(KernelAbility ability) => (t_withheld & ability) == 0;

    internal static Withheld Withhold(KernelAbility abilities)
    {
        var before = t_withheld;
        t_withheld |= abilities;
        return new Withheld(before);
    }

    internal readonly struct Withheld(KernelAbility before) : IDisposable
    {
        public void Dispose() => t_withheld = before;
    }
}
