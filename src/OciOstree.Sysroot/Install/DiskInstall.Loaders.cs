using System.Globalization;
using System.Runtime.InteropServices;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class DiskInstall
{
    // GRUB on both kinds of firmware reads the same file of /boot, which changes with the deployments.
    private static readonly string[] GrubModules = ["part_gpt", "ext2", "search", "search_fs_uuid", "normal", "configfile", "linux", "echo", "test", "gzio", "boot", "loadenv", "terminal", "serial"];

    private IReadOnlyList<string> loaderRoots = [];

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Puts the boot loader on the disk; what it boots is mounted and deployed.</summary>
    /// <exception cref="SysrootException">Its files are nowhere, or a program failed.</exception>
    /// <param name="roots">Below which its files are looked for, in this order.</param>
    public void WriteLoader(IReadOnlyList<string> roots)
    {
        loaderRoots = roots;
        switch (options.Loader)
        {
            case InstallLoader.Extlinux:
                RequiredProgram.Run("extlinux", ["--install", Path.Combine(Root, "boot/syslinux")]);
                byte[] boot = Files.ReadNamed(Find("the boot sector of extlinux (Debian: syslinux-common)", "usr/lib/EXTLINUX/mbr.bin", "usr/lib/syslinux/mbr/mbr.bin", "usr/share/syslinux/mbr.bin"));
                WriteAt(0, boot.AsSpan(0, Math.Min(boot.Length, GrubEmbedding.BootCodeSize)));
                break;
            case InstallLoader.SystemdBoot:
                string suffix = IsArm ? "aa64" : "x64";
                WriteEsp(
                [
                    ($"EFI/BOOT/BOOT{suffix.ToUpperInvariant()}.EFI", Find("systemd-boot (Debian: systemd-boot-efi)", $"usr/lib/systemd/boot/efi/systemd-boot{suffix}.efi")),
                    // /boot holds symbolic links, which FAT has not: the firmware learns ext4.
                    ($"EFI/systemd/drivers/ext4{suffix}.efi", Find("an EFI driver for ext4 (Debian: refind)", $"usr/share/refind/refind/drivers_{suffix}/ext4_{suffix}.efi", $"usr/lib/efifs-{suffix}/ext2_{suffix}.efi", $"usr/share/efifs/{suffix}/ext2_{suffix}.efi")),
                    ("loader/loader.conf", Scratch("loader.conf", "timeout 3\nconsole-mode keep\n")),
                ]);
                break;
            case InstallLoader.Grub:
                InstallGrub();
                break;
        }
    }

    private void InstallGrub()
    {
        string platform = IsArm ? "arm64-efi" : "x86_64-efi";
        string efi = MakeGrub(platform, ["fat", "all_video", .. IsArm ? (string[])[] : ["efi_gop"]]);
        WriteEsp([($"EFI/BOOT/BOOT{(IsArm ? "AA64" : "X64")}.EFI", efi)]);
        if (!IsArm)
        {
            GrubEmbedding.Write(options.Path, BiosAt, EspAt - BiosAt, Files.ReadNamed(Path.Combine(GrubDirectory("i386-pc"), "boot.img")), Files.ReadNamed(MakeGrub("i386-pc", ["biosdisk"])));
        }
    }

    private string GrubDirectory(string platform) => Path.GetDirectoryName(Find($"GRUB for {platform} (Debian: grub-{(platform == "i386-pc" ? "pc" : "efi")}-bin packages)", $"usr/lib/grub/{platform}/modinfo.sh"))!;

    private string MakeGrub(string platform, string[] modules)
    {
        string early = Scratch("early.cfg", $"search --no-floppy --fs-uuid --set=root {BootUuid}\nset prefix=($root)/grub\nconfigfile ($root)/grub/grub.cfg\n");
        string core = Path.Combine(scratch.FullName, $"grub-{platform}");
        RequiredProgram.Run("grub-mkimage", ["-O", platform, "-d", GrubDirectory(platform), "-c", early, "-p", "/grub", "-o", core, .. GrubModules, .. modules]);
        return core;
    }

    /// <summary>The EFI system partition is made aside with mtools, since not every kernel mounts FAT.</summary>
    private void WriteEsp((string Target, string Source)[] files)
    {
        string esp = Path.Combine(scratch.FullName, "esp");
        RequiredProgram.Run("mkfs.vfat", ["-C", "-F", "32", "-n", "ESP", esp, ((BootAt - EspAt) / 1024).ToString(CultureInfo.InvariantCulture)]);
        var made = new HashSet<string>();
        foreach ((string target, string source) in files)
        {
            for (int slash = target.IndexOf('/'); slash > 0; slash = target.IndexOf('/', slash + 1))
            {
                if (made.Add(target[..slash]))
                {
                    RequiredProgram.Run("mmd", ["-i", esp, $"::/{target[..slash]}"]);
                }
            }
            RequiredProgram.Run("mcopy", ["-i", esp, source, $"::/{target}"]);
        }
        using var from = File.OpenRead(esp);
        using var to = new FileStream(options.Path, FileMode.Open, FileAccess.Write);
        to.Position = EspAt;
        from.CopyTo(to);
        to.Flush(flushToDisk: true);
    }

    private void WriteAt(long offset, ReadOnlySpan<byte> bytes)
    {
        using var disk = new FileStream(options.Path, FileMode.Open, FileAccess.Write);
        disk.Position = offset;
        disk.Write(bytes);
        disk.Flush(flushToDisk: true);
    }

    private string Find(string what, params string[] places) =>
        loaderRoots.SelectMany(root => places.Select(place => Path.Combine(root, place))).FirstOrDefault(File.Exists)
            ?? throw new SysrootException($"{what} is needed: there is no {places[0]} below {string.Join(" or ", loaderRoots)}");

    private string Scratch(string name, string content)
    {
        string path = Path.Combine(scratch.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
