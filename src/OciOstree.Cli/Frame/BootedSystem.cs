using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli;

/// <summary>What has to be done before a booted system's own root can be changed.</summary>
internal static class BootedSystem
{
    private const string Marker = "OCI_OSTREE_OWN_MOUNTS";

    /// <summary>
    /// A booted system may have <c>/sysroot</c> and <c>/boot</c> mounted read-only, so that nobody breaks them by mistake. Then this gives the program a mount
    /// namespace in which they are writable and starts it again there: nobody else sees the difference. Does nothing for other sysroots.
    /// </summary>
    /// <param name="sysrootPath">What is to be changed.</param>
    /// <param name="mounts">The program will mount something that all shall see.</param>
    public static void MakeWritable(string sysrootPath, bool mounts = false)
    {
        if (!File.Exists("/run/ostree-booted")
            || Files.TryStatus(sysrootPath) is not { } sysroot || !sysroot.IsSameFile(Files.TryStatus("/")!.Value)
            || Environment.GetEnvironmentVariable(Marker) is not null)
        {
            return;
        }

        var readOnly = new[] { "/sysroot", "/boot" }.Where(path => Mounts.Find(path) is { IsReadOnly: true }).ToList();
        if (readOnly.Count == 0)
        {
            return;
        }

        if (mounts && Mounts.Find("/") is { } root && !root.OptionalFields.Any(field => field.StartsWith("shared:", StringComparison.Ordinal)))
        {
            throw new SysrootException($"{string.Join(" and ", readOnly)} is mounted read-only and the mounts of / are not shared: what is mounted here would not be seen outside; `mount --make-rshared /` shares them");
        }

        Namespaces.UnshareMounts(propagate: mounts);
        foreach (var path in readOnly)
        {
            // /boot may be a directory of a mount that the turn before has made writable.
            var mount = Mounts.Find(path)!;
            if (mount.IsReadOnly)
            {
                Mounts.RemountWritable(mount.MountPoint);
            }
        }

        ProgramImage.StartAgain(Marker, "1");
    }
}
