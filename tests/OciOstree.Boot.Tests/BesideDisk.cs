namespace OciOstree.Boot.Tests;

/// <summary>
/// The disk of an ordinary distribution: one btrfs file system, and a GRUB for a BIOS that reads <c>/boot/grub/grub.cfg</c> of it. It has made a subvolume for another system to be
/// tried, which is where this is mounted.
/// </summary>
internal sealed class BesideDisk : BootDisk
{
    private readonly ScratchDirectory scratch;

    internal BesideDisk(ScratchDirectory scratch, string name)
        : base(scratch, name, "604M")
    {
        this.scratch = scratch;
        const string table = "label: gpt\nstart=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649\nstart=4096, size=1228800, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n";
        Tool.Run(new ToolStart("sfdisk") { Input = System.Text.Encoding.ASCII.GetBytes(table) }, "-q", Image).Ok();
        Tool.Run("truncate", "-s", "600M", FileSystem).Ok();
        Tool.Run("mkfs.btrfs", "-q", FileSystem).Ok();
        MountOther();
        Tool.Run("btrfs", "-q", "subvolume", "create", Root + "/try").Ok();
        WriteMenu("");
        Unmount();
        Mount();
    }

    protected override string Bootloader => throw new NotSupportedException("The installation chooses it");

    private string FileSystem => scratch["btrfs.img"];

    internal override void Mount() => MountFile(FileSystem, Root, "loop,subvol=try");

    /// <summary>What the owner of the other system does at last: an entry in its menu. The disk can be booted then.</summary>
    internal void AddToMenu(string entry)
    {
        Unmount();
        MountOther();
        WriteMenu(entry);
        Unmount();

        const string platform = "i386-pc";
        string package = $"{DebianPackage.Get("grub-pc-bin")}/usr/lib/grub/{platform}", core = scratch["grub.core"];
        string uuid = Tool.Run("blkid", "-o", "value", "-s", "UUID", "-p", FileSystem).Ok().OutputLine;
        string early = scratch.Write("early.cfg", $"search --no-floppy --fs-uuid --set=root {uuid}\nconfigfile ($root)/boot/grub/grub.cfg\n");
        Tool.Run("grub-mkimage", "-O", platform, "-d", package, "-c", early, "-p", "/boot/grub", "-o", core,
            "biosdisk", "part_gpt", "btrfs", "search", "search_fs_uuid", "normal", "configfile", "linux", "echo", "test", "gzio", "boot").Ok();
        GptDisk.EmbedGrub(Image, File.ReadAllBytes(package + "/boot.img"), File.ReadAllBytes(core));
        Tool.Run("dd", "if=" + FileSystem, "of=" + Image, "bs=1M", "seek=2", "conv=notrunc,sparse", "status=none").Ok();
    }

    protected override void InstallLoader() => throw new NotSupportedException("It is the other system's");

    private void MountOther() => MountFile(FileSystem, Root, "loop,subvolid=5");

    private void WriteMenu(string entry)
    {
        Directory.CreateDirectory(Root + "/boot/grub");
        File.WriteAllText(Root + "/boot/grub/grub.cfg", "set timeout=0\nset default=0\n" + entry);
    }
}
