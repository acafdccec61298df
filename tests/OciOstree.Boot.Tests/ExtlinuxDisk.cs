namespace OciOstree.Boot.Tests;

/// <summary>One ext4 file system from the first sector on, booted by a BIOS and extlinux.</summary>
internal sealed class ExtlinuxDisk : BootDisk
{
    internal ExtlinuxDisk(ScratchDirectory scratch, string name, string size, bool verity = false)
        : base(scratch, name, size)
    {
        // extlinux 6 reads neither 64-bit block numbers nor checksummed metadata.
        Tool.Run("mkfs.ext4", "-q", "-F", "-L", Label, "-b", "4096", "-O", "^64bit,^metadata_csum" + (verity ? ",verity" : ""), Image).Ok();
        Mount();
    }

    protected override string Bootloader => "syslinux";

    internal override void Mount() => MountImage(Root);

    /// <summary>
    /// Writes the boot sector, and the configuration that a distribution's installer leaves: ostree's syslinux backend finds <c>/boot/syslinux/syslinux.cfg</c>
    /// and keeps the file that it points to in step with the deployments.
    /// </summary>
    protected override void InstallLoader()
    {
        Directory.CreateDirectory(Root + "/boot/syslinux");
        Directory.CreateDirectory(Root + "/boot/loader.0");
        File.CreateSymbolicLink(Root + "/boot/loader", "loader.0");
        File.WriteAllText(Root + "/boot/loader.0/syslinux.cfg", "DEFAULT ostree:0\nTIMEOUT 1\nPROMPT 0\nSERIAL 0 115200\n");
        File.CreateSymbolicLink(Root + "/boot/syslinux/syslinux.cfg", "../loader/syslinux.cfg");
        Tool.Run("extlinux", "--install", Root + "/boot/syslinux").Ok();
    }
}
