using System.Globalization;
using OciOstree.Sysroot;

namespace OciOstree.Boot.Tests;

/// <summary>What boots a <see cref="GptDisk"/>.</summary>
public enum GptLoader
{
    GrubOnBios,
    GrubOnEfi,
    SystemdBoot,
}

/// <summary>
/// A disk as installers partition it: a BIOS boot partition, an EFI system partition, <c>/boot</c> (XBOOTLDR) and the root, the last two ext4. The file systems are
/// reached by their offsets, and the FAT one by mtools: neither a partition table nor FAT needs the host's kernel.
/// </summary>
internal sealed class GptDisk : BootDisk
{
    private const int Sector = 512;
    private const long MiB = 1 << 20;
    private const long BiosAt = 1 * MiB, EspAt = 2 * MiB, BootAt = 66 * MiB, RootAt = 266 * MiB, End = 599 * MiB;
    private const string BootLabel = "bootfs";
    private readonly GptLoader loader;
    private readonly ScratchDirectory scratch;

    internal GptDisk(ScratchDirectory scratch, string name, GptLoader loader)
        : base(scratch, name, (End / MiB + 1).ToString(CultureInfo.InvariantCulture) + "M")
    {
        this.loader = loader;
        this.scratch = scratch;
        string table = string.Join('\n', "label: gpt",
            Partition(BiosAt, EspAt, "21686148-6449-6E6F-744E-656564454649"),
            Partition(EspAt, BootAt, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
            Partition(BootAt, RootAt, "BC13C2FF-59E6-4262-A352-B275FD6F7172"),
            Partition(RootAt, End, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"));
        Tool.Run(new ToolStart("sfdisk") { Input = System.Text.Encoding.ASCII.GetBytes(table + "\n") }, "-q", Image).Ok();
        // The EFI driver for ext4 knows neither of these features, nor a journal.
        Tool.Run("mkfs.ext4", "-q", "-F", "-L", BootLabel, "-O", "^64bit,^metadata_csum,^has_journal", "-E", $"offset={BootAt}", Image, Number((RootAt - BootAt) / 1024) + "k").Ok();
        Tool.Run("mkfs.ext4", "-q", "-F", "-L", Label, "-E", $"offset={RootAt}", Image, Number((End - RootAt) / 1024) + "k").Ok();
        Mount();
    }

    internal override bool IsEfi => loader != GptLoader.GrubOnBios;

    protected override string Bootloader => loader == GptLoader.SystemdBoot ? "none" : "grub2";

    private string Esp => scratch["esp.img"];

    internal override void Mount()
    {
        MountImage(Root, $"loop,offset={RootAt},sizelimit={End - RootAt}");
        Directory.CreateDirectory(Root + "/boot");
        MountImage(Root + "/boot", $"loop,offset={BootAt},sizelimit={RootAt - BootAt}");
    }

    protected override void InstallLoader()
    {
        Tool.Run("mkfs.vfat", "-C", "-F", "32", "-n", "ESP", Esp, Number((BootAt - EspAt) / 1024)).Ok();
        switch (loader)
        {
            case GptLoader.SystemdBoot:
                Tool.Run("mmd", "-i", Esp, "::/EFI", "::/EFI/BOOT", "::/EFI/systemd", "::/EFI/systemd/drivers", "::/loader").Ok();
                Tool.Run("mcopy", "-i", Esp, DebianPackage.Get("systemd-boot-efi") + "/usr/lib/systemd/boot/efi/systemd-bootx64.efi", "::/EFI/BOOT/BOOTX64.EFI").Ok();
                Tool.Run("mcopy", "-i", Esp, DebianPackage.Get("refind") + "/usr/share/refind/refind/drivers_x64/ext4_x64.efi", "::/EFI/systemd/drivers/ext4x64.efi").Ok();
                Tool.Run("mcopy", "-i", Esp, scratch.Write("loader.conf", "timeout 1\nconsole-mode keep\n"), "::/loader/loader.conf").Ok();
                break;
            case GptLoader.GrubOnEfi:
                string efi = MakeGrub("x86_64-efi", "grub-efi-amd64-bin", ["fat", "all_video", "efi_gop"]);
                Tool.Run("mmd", "-i", Esp, "::/EFI", "::/EFI/BOOT").Ok();
                Tool.Run("mcopy", "-i", Esp, efi, "::/EFI/BOOT/BOOTX64.EFI").Ok();
                break;
            default:
                string core = MakeGrub("i386-pc", "grub-pc-bin", ["biosdisk"]);
                EmbedGrub(Image, File.ReadAllBytes(DebianPackage.Get("grub-pc-bin") + "/usr/lib/grub/i386-pc/boot.img"), File.ReadAllBytes(core));
                break;
        }
        using var esp = File.OpenRead(Esp);
        using var disk = File.OpenWrite(Image);
        disk.Position = EspAt;
        esp.CopyTo(disk);
    }

    /// <summary>A GRUB that reads <c>/grub/grub.cfg</c> of the boot file system, the link that ostree's grub2 backend keeps in step.</summary>
    private string MakeGrub(string platform, string package, string[] modules)
    {
        Directory.CreateDirectory(Root + "/boot/grub");
        Directory.CreateDirectory(Root + "/boot/loader.0");
        File.CreateSymbolicLink(Root + "/boot/loader", "loader.0");
        File.WriteAllText(Root + "/boot/loader.0/grub.cfg", "# nothing is deployed yet\n");
        File.CreateSymbolicLink(Root + "/boot/grub/grub.cfg", "../loader/grub.cfg");
        string early = scratch.Write("early.cfg", $"""
            search --no-floppy --label --set=root {BootLabel}
            serial --unit=0 --speed=115200
            terminal_output serial
            configfile ($root)/grub/grub.cfg

            """);
        string core = scratch["grub.core"];
        Tool.Run("grub-mkimage", ["-O", platform, "-d", $"{DebianPackage.Get(package)}/usr/lib/grub/{platform}", "-c", early, "-p", "/grub", "-o", core,
            "part_gpt", "ext2", "search", "search_label", "normal", "configfile", "linux", "serial", "terminal", "echo", "test", "gzio", "boot", .. modules]).Ok();
        return core;
    }

    /// <summary>Puts GRUB for a BIOS one MiB from the start.</summary>
    internal static void EmbedGrub(string image, byte[] boot, byte[] core) => GrubEmbedding.Write(image, BiosAt, EspAt - BiosAt, boot, core);

    private static string Partition(long from, long to, string type) => $"start={from / Sector}, size={(to - from) / Sector}, type={type}";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
