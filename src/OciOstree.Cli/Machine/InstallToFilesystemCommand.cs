using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>install to-filesystem</c>: onto what somebody has partitioned, formatted and mounted, also beside another system.</summary>
internal static class InstallToFilesystemCommand
{
    public static Command Create()
    {
        var path = Opts.Required("PATH", "Where the root is mounted: a file system, or a btrfs subvolume");
        var bootloader = Opts.Value("--bootloader", "NAME", "none (the default: somebody else's reads the entries), extlinux (installed into /boot/syslinux), or grub (its configuration only: boot/grub/grub.cfg)");
        var verb = new Verb(
            "to-filesystem",
            "Install an image onto a mounted file system",
            "oci-ostree install to-filesystem --imgref=ostree-unverified-registry:quay.io/example/os:stable --bootloader=extlinux /mnt",
            "oci-ostree install to-filesystem --imgref=ostree-unverified-registry:quay.io/example/os:next --bootloader=grub /mnt/try")
        {
            path, bootloader,
        };
        var install = new InstallOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var loader = InstallOptions.Loader(parsed.GetValue(bootloader), InstallLoader.None);
            if (loader == InstallLoader.SystemdBoot)
            {
                throw new UsageException("systemd-boot reads the entries as they are: install it with bootctl, and leave --bootloader out");
            }

            install.Check(parsed);
            var root = RootMount.Find(parsed.GetValue(path)!);
            var boot = OwnBoot(root.Path);
            install.Install(parsed, root, loader, boot is null ? null : (boot.Uuid, boot.Type), deployment =>
            {
                if (loader == InstallLoader.Extlinux)
                {
                    Installation.InstallExtlinux(root.Path);
                }
            });
            if (loader == InstallLoader.Grub)
            {
                // Nothing outside of PATH is touched: the other system's GRUB has to be told by its owner.
                var (device, prefix) = boot is null ? (root, $"{(root.Subvolume.Length > 0 ? "/" + root.Subvolume : "")}/boot") : (boot, "");
                Console.Error.WriteLine($$"""
                    For the GRUB of another system, as an entry in its /etc/grub.d/40_custom:
                    menuentry "{{Path.GetFileName(root.Path)}} (ostree)" {
                        search --no-floppy --fs-uuid --set=root {{device.Uuid}}
                        configfile {{prefix}}/grub/grub.cfg
                    }
                    """);
            }
        });
    }

    private static RootMount? OwnBoot(string root)
    {
        var boot = Path.Combine(root, "boot");
        return Mounts.Find(boot) is { } mount && mount.MountPoint == boot ? RootMount.Find(boot) : null;
    }
}
