using OciOstree.Linux;

namespace OciOstree.Boot.Tests;

/// <summary>
/// A disk image with one ext4 file system from its first sector on and extlinux as its boot loader, mounted while it is open.
/// Used inside a mount namespace of the test's own, so that not even a killed test leaves a mount or a loop device.
/// </summary>
internal sealed class BootDisk : IDisposable
{
    internal const string Label = "bootroot";
    private bool _mounted;

    private BootDisk(string image, string mountPoint)
    {
        Image = image;
        Root = mountPoint;
    }

    internal string Image { get; }

    /// <summary>Where it is mounted.</summary>
    internal string Root { get; }

    internal static BootDisk Create(ScratchDirectory scratch, string name, string size)
    {
        var disk = new BootDisk(scratch[name + ".img"], scratch.MakeDirectory(name));
        Tool.Run("truncate", "-s", size, disk.Image).Ok();
        // extlinux 6 reads neither 64-bit block numbers nor checksummed metadata.
        Tool.Run("mkfs.ext4", "-q", "-F", "-L", Label, "-O", "^64bit,^metadata_csum", disk.Image).Ok();
        disk.Mount();
        return disk;
    }

    internal void Mount()
    {
        Tool.Run("mount", "-o", "loop", Image, Root).Ok();
        _mounted = true;
    }

    internal void Unmount()
    {
        if (!_mounted)
            return;
        Mounts.Unmount(Root);
        _mounted = false;
    }

    /// <summary>
    /// Writes the boot sector, and the configuration that a distribution's installer leaves: ostree's syslinux backend finds <c>/boot/syslinux/syslinux.cfg</c>
    /// and keeps the file that it points to in step with the deployments.
    /// </summary>
    private void InstallExtlinux()
    {
        Directory.CreateDirectory(Root + "/boot/syslinux");
        Directory.CreateDirectory(Root + "/boot/loader.0");
        File.CreateSymbolicLink(Root + "/boot/loader", "loader.0");
        File.WriteAllText(Root + "/boot/loader.0/syslinux.cfg", "DEFAULT ostree:0\nTIMEOUT 1\nPROMPT 0\nSERIAL 0 115200\n");
        File.CreateSymbolicLink(Root + "/boot/syslinux/syslinux.cfg", "../loader/syslinux.cfg");
        Tool.Run("extlinux", "--install", Root + "/boot/syslinux").Ok();
    }

    /// <summary>An empty system root with one stateroot, as an installer leaves it.</summary>
    internal void InitializeSysroot(string stateroot)
    {
        OurProgram.Run("admin", "init-fs", "--epoch=1", Root).Ok();
        OurProgram.Run("admin", "stateroot-init", "--sysroot", Root, stateroot).Ok();
        // The real program sets what an installer would: that way it also has read our configuration.
        string repo = Root + "/ostree/repo";
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.bootloader", "syslinux").Ok();
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.readonly", "true").Ok();
        InstallExtlinux();
    }

    public void Dispose() => Unmount();
}
