namespace OciOstree.Sysroot;

/// <summary>The boot loader that an installation gets.</summary>
public enum InstallLoader
{
    /// <summary>None: whoever boots it reads the entries in <c>/boot/loader</c>.</summary>
    None,
    /// <summary>extlinux, by a BIOS.</summary>
    Extlinux,
    /// <summary>GRUB, by a BIOS or UEFI.</summary>
    Grub,
    /// <summary>systemd-boot, by UEFI.</summary>
    SystemdBoot,
}
