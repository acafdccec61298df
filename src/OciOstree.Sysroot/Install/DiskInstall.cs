using System.Globalization;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// A disk for one system: partitioned, formatted and mounted while this lives. File systems are reached through loop devices at their offsets, so that image files and
/// disks are handled alike and no partition has to be known to the kernel. To be used in a mount namespace of its own.
/// </summary>
/// <remarks>
/// extlinux: an MBR with the root alone. Otherwise a GPT: room for GRUB on BIOS machines, the EFI system partition, <c>/boot</c> (XBOOTLDR) and the root.
/// </remarks>
public sealed partial class DiskInstall : IDisposable
{
    private const long MiB = 1 << 20;
    private const long Sector = 512;
    private const long BiosAt = 1 * MiB;
    private const long EspAt = 2 * MiB;
    private const long BootAt = 66 * MiB;
    private const long SmallestRoot = 64 * MiB;

    private readonly DiskInstallOptions options;
    private readonly Stack<string> mounted = new();
    private readonly DirectoryInfo scratch;
    private readonly long rootAt;
    private readonly long end;

    private DiskInstall(DiskInstallOptions options)
    {
        this.options = options;
        if (options.Loader == InstallLoader.Extlinux && options.FileSystem != "ext4")
        {
            throw new SysrootException("extlinux is installed on ext4 only");
        }
        long size = SizeOfDisk();
        end = size / MiB * MiB - MiB;   // the last is the copy of the partition table's
        rootAt = HasOwnBoot ? BootAt + Math.Clamp(size / 4 / MiB * MiB, 96 * MiB, 1024 * MiB) : MiB;
        if (end - rootAt < SmallestRoot)
        {
            throw new SysrootException($"{options.Path} is too small: {size / MiB} MiB");
        }
        // Last: what is refused leaves nothing behind.
        scratch = Directory.CreateTempSubdirectory("install-");
    }

    /// <summary>Where the root is mounted.</summary>
    public string Root => Path.Combine(scratch.FullName, "root");

    public string RootUuid { get; } = Guid.NewGuid().ToString();

    /// <summary>Of the file system for <c>/boot</c>, where it has one of its own.</summary>
    public string? BootUuid { get; private set; }

    private bool HasOwnBoot => options.Loader != InstallLoader.Extlinux;

    /// <summary>Partitions, formats and mounts.</summary>
    /// <exception cref="SysrootException">Something is on the disk and may not be wiped, or a program failed.</exception>
    public static DiskInstall Prepare(DiskInstallOptions options)
    {
        var disk = new DiskInstall(options);
        try
        {
            disk.MakeImage();
            disk.Partition();
            disk.Format();
            disk.Mount();
            return disk;
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        while (mounted.TryPop(out string? path))
        {
            Mounts.Unmount(path);
        }
        scratch.Delete(recursive: true);
    }

    private long SizeOfDisk()
    {
        string path = options.Path;
        FileStatus? status = Files.TryStatus(path);
        if (status is null || (status.Value.IsRegularFile && status.Value.Size == 0))
        {
            return options.Size ?? throw new SysrootException($"{path} does not exist: --size says how large an image to make");
        }
        // Disks are mostly named by links: /dev/disk/by-id/….
        string full = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        if (Mounts.ReadMountInfo().Exists(mount => mount.Source == full || (mount.Source.StartsWith(full, StringComparison.Ordinal) && mount.Source[full.Length..].TrimStart('p').All(char.IsAsciiDigit))))
        {
            throw new SysrootException($"{path} is mounted");
        }
        if (status.Value.Type == FileType.BlockDevice)
        {
            RequireUnused(full);
        }
        if (!options.Wipe && RequiredProgram.Run("wipefs", ["--noheadings", "--output", "TYPE", path]).Trim() is { Length: > 0 } found)
        {
            throw new SysrootException($"There is something on {path} ({found.Split('\n')[0].Trim()}): --wipe gives it up");
        }
        if (status.Value.IsRegularFile)
        {
            return status.Value.Size;
        }
        return status.Value.Type == FileType.BlockDevice
            ? long.Parse(RequiredProgram.Run("blockdev", ["--getsize64", path]).Trim(), CultureInfo.InvariantCulture)
            : throw new SysrootException($"{path} is neither a disk nor an image file");
    }

    /// <summary>Not every use is a mount that is seen from here: other namespaces have theirs, and disks are parts of arrays and volumes.</summary>
    private void RequireUnused(string device)
    {
        try
        {
            // Of a block device it means: for the kernel's own use of it and of its partitions, too.
            Files.Open(device, OpenFlags.ReadOnly | OpenFlags.Exclusive).Dispose();
        }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY)
        {
            throw new SysrootException($"{options.Path} is in use");
        }
    }

    private void MakeImage()
    {
        if (Files.TryStatus(options.Path) is null or { IsRegularFile: true, Size: 0 })
        {
            using var file = new FileStream(options.Path, FileMode.OpenOrCreate, FileAccess.Write);
            file.SetLength(options.Size!.Value);
        }
    }

    private void Partition()
    {
        // The types are those of the Discoverable Partitions Specification: systemd mounts /boot by them.
        string[] table = HasOwnBoot
            ?
            [
                "label: gpt",
                Line(BiosAt, EspAt, "21686148-6449-6E6F-744E-656564454649"),
                Line(EspAt, BootAt, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
                Line(BootAt, rootAt, "BC13C2FF-59E6-4262-A352-B275FD6F7172"),
                Line(rootAt, end, RootType),
            ]
            : ["label: dos", Line(rootAt, end, "83") + ", bootable"];
        RequiredProgram.Run("wipefs", ["--all", "--force", "--quiet", options.Path]);
        RequiredProgram.Run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "always", options.Path], string.Join('\n', table) + "\n");

        static string Line(long from, long to, string type) =>
            string.Create(CultureInfo.InvariantCulture, $"start={from / Sector}, size={(to - from) / Sector}, type={type}");
    }

    private static string RootType => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64
        ? "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"
        : "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";

    private void Format()
    {
        if (HasOwnBoot)
        {
            BootUuid = Guid.NewGuid().ToString();
            // Firmware drivers for ext4 know neither of these features, nor a journal.
            WithLoop(BootAt, rootAt, device => RequiredProgram.Run("mkfs.ext4", ["-q", "-F", "-L", "bootfs", "-U", BootUuid, "-O", "^64bit,^metadata_csum,^has_journal", device]));
        }
        WithLoop(rootAt, end, device => _ = options.FileSystem switch
        {
            // extlinux 6 reads neither 64-bit block numbers nor checksummed metadata.
            "ext4" when !HasOwnBoot => RequiredProgram.Run("mkfs.ext4", ["-q", "-F", "-L", "root", "-U", RootUuid, "-b", "4096", "-O", "^64bit,^metadata_csum,verity", device]),
            // With verity, so that composefs can protect it; small disks would get smaller blocks, which it does not go with.
            "ext4" => RequiredProgram.Run("mkfs.ext4", ["-q", "-F", "-L", "root", "-U", RootUuid, "-b", "4096", "-O", "verity", device]),
            "xfs" => RequiredProgram.Run("mkfs.xfs", ["-q", "-f", "-L", "root", "-m", $"uuid={RootUuid}", device]),
            "btrfs" => RequiredProgram.Run("mkfs.btrfs", ["-q", "-f", "-L", "root", "-U", RootUuid, device]),
            var other => throw new SysrootException($"Unknown file system '{other}': ext4, xfs and btrfs are known"),
        });
    }

    private void Mount()
    {
        Directory.CreateDirectory(Root);
        MountLoop(Root, rootAt, end);
        if (HasOwnBoot)
        {
            string boot = Path.Combine(Root, "boot");
            Directory.CreateDirectory(boot);
            MountLoop(boot, BootAt, rootAt);
        }
    }

    private void MountLoop(string at, long from, long to)
    {
        // The loop device goes with its mount, also when this process is killed.
        RequiredProgram.Run("mount", ["-o", string.Create(CultureInfo.InvariantCulture, $"loop,offset={from},sizelimit={to - from}"), options.Path, at]);
        mounted.Push(at);
    }

    private void WithLoop(long from, long to, Action<string> action)
    {
        string device = RequiredProgram.Run("losetup", ["--show", "--find", "--offset", from.ToString(CultureInfo.InvariantCulture), "--sizelimit", (to - from).ToString(CultureInfo.InvariantCulture), options.Path]).Trim();
        try
        {
            action(device);
        }
        finally
        {
            RequiredProgram.Run("losetup", ["--detach", device]);
        }
    }
}
