using System.CommandLine;
using System.Globalization;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>install to-disk</c>: a whole disk, or an image of one, for one system.</summary>
internal static class InstallToDiskCommand
{
    private const string Marker = "OCI_OSTREE_INSTALL_MOUNTS";

    public static Command Create()
    {
        var path = Opts.Required("DISK", "A disk, or an image file");
        var bootloader = Opts.Value("--bootloader", "NAME", "grub (the default: BIOS and UEFI), extlinux (BIOS), systemd-boot (UEFI), or none");
        var filesystem = Opts.Value("--filesystem", "TYPE", "The root's: ext4 (the default), xfs or btrfs");
        var size = Opts.Value("--size", "SIZE", "Make an image file this large, e.g. 10G");
        var wipe = Opts.Flag("--wipe", "Give up what is on the disk");
        var loaderFiles = Opts.Many("--loader-files", "DIR", "Look for the boot loader's files below DIR, before the image and this system");
        var verb = new Verb(
            "to-disk",
            "Partition and format a disk, and install an image and a boot loader on it",
            "oci-ostree install to-disk --imgref=ostree-unverified-registry:quay.io/example/os:stable --wipe /dev/vda",
            "oci-ostree install to-disk --imgref=ostree-unverified-image:oci:images:os --size=10G --bootloader=systemd-boot disk.img")
        {
            path, bootloader, filesystem, size, wipe, loaderFiles,
        };
        var install = new InstallOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            install.Check(parsed);
            var options = new DiskInstallOptions
            {
                Path = parsed.GetValue(path)!,
                Loader = InstallOptions.Loader(parsed.GetValue(bootloader), InstallLoader.Grub),
                FileSystem = parsed.GetValue(filesystem) ?? "ext4",
                Size = parsed.GetValue(size) is { } text ? Bytes(text) : null,
                Wipe = parsed.GetValue(wipe),
            };
            if (Environment.GetEnvironmentVariable(Marker) is null)
            {
                // Whatever happens, no mount is left: the namespace goes with the process.
                Namespaces.UnshareMounts();
                ProgramImage.StartAgain(Marker, "1");
            }

            using var disk = DiskInstall.Prepare(options);
            var root = new RootMount(disk.Root, disk.RootUuid, options.FileSystem, "");
            install.Install(parsed, root, options.Loader, disk.BootUuid is { } boot ? (boot, "ext4") : null, deployment => disk.WriteLoader([.. parsed.GetValue(loaderFiles)!, deployment, "/"]));
        });
    }

    private static long Bytes(string text)
    {
        var unit = text.Length > 0 ? "KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) : -1;
        return long.TryParse(unit < 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number < (1L << 50) >> (10 * (unit + 1))
            ? number << (10 * (unit + 1))
            : throw new UsageException($"'{text}' is no size: e.g. 10G");
    }
}
