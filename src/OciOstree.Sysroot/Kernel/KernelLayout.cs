using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// Where a tree keeps its kernel and what goes with it, and the names they get under <c>/boot/ostree/STATEROOT-BOOTCSUM</c>.
/// <c>usr/lib/modules/KVER</c> is the place of today; trees of before 2017 keep them in <c>usr/lib/ostree-boot</c> or <c>boot</c> with the checksum in the names.
/// </summary>
internal sealed class KernelLayout : IDisposable
{
    private static readonly string[] LegacyDirectories = ["usr/lib/ostree-boot", "boot"];

    private KernelLayout(LinuxDirectory directory, string bootChecksum, KernelFile kernel)
    {
        Directory = directory;
        BootChecksum = bootChecksum;
        Kernel = kernel;
    }

    /// <summary>Holds the files; their source names are relative to it.</summary>
    public LinuxDirectory Directory { get; }

    /// <summary>SHA-256 over the contents of kernel, initramfs and device trees, one after the other. Legacy trees carry it in their file names.</summary>
    public string BootChecksum { get; private set; }

    public KernelFile Kernel { get; }

    public KernelFile? Initramfs { get; private set; }

    /// <summary>One device tree, when the tree has chosen one.</summary>
    public KernelFile? DeviceTree { get; private set; }

    /// <summary>A directory of device trees for the boot loader to choose from.</summary>
    public string? DeviceTreeDirectory { get; private set; }

    /// <summary>The checksum file that dracut's FIPS check wants beside the kernel.</summary>
    public KernelFile? Hmac { get; private set; }

    /// <summary>A signed Android boot image.</summary>
    public KernelFile? AndroidImage { get; private set; }

    /// <summary>The regular files to install; a device tree directory comes on top.</summary>
    public IEnumerable<KernelFile> Files => new[] { Kernel, Initramfs, DeviceTree, Hmac, AndroidImage }.OfType<KernelFile>();

    public void Dispose() => Directory.Dispose();

    /// <exception cref="SysrootException">The tree has no kernel, or parts that do not belong together.</exception>
    public static KernelLayout Find(LinuxDirectory deployment, bool deviceTrees = true)
    {
        KernelLayout? modules = FindInModules(deployment, deviceTrees);
        try
        {
            KernelLayout? legacy = FindLegacy(deployment);
            if (legacy is null)
            {
                return modules ?? throw new SysrootException("Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot");
            }
            // A tree made for both keeps its initramfs in the old place only.
            bool preferLegacy = modules is null || (modules.Initramfs is null && legacy.Initramfs is not null);
            (preferLegacy ? modules : legacy)?.Dispose();
            return preferLegacy ? legacy : modules!;
        }
        catch
        {
            modules?.Dispose();
            throw;
        }
    }

    private static KernelLayout? FindInModules(LinuxDirectory deployment, bool deviceTrees)
    {
        using LinuxDirectory? modules = deployment.TryOpenDirectory("usr/lib/modules", followLinks: true);
        if (modules is null)
        {
            return null;
        }
        // A tree has one kernel; of several, the first that the file system names is taken, as ostree does, but in an order that does not change.
        foreach (DirectoryEntry entry in modules.ReadEntries().OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            if (entry.Type == FileType.Directory && modules.TryStatus($"{entry.Name}/vmlinuz", followLinks: true) is { IsRegularFile: true })
            {
                LinuxDirectory directory = modules.OpenDirectory(entry.Name);
                try
                {
                    return Describe(directory, entry.Name, deviceTrees);
                }
                catch
                {
                    directory.Dispose();
                    throw;
                }
            }
        }
        return null;
    }

    private static KernelLayout Describe(LinuxDirectory directory, string version, bool deviceTrees)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var layout = new KernelLayout(directory, "", new KernelFile("vmlinuz", $"vmlinuz-{version}"));
        Append(hash, directory, "vmlinuz");

        string? initramfs = new[] { "initramfs.img", "initramfs" }.FirstOrDefault(name => directory.TryStatus(name, followLinks: true) is not null);
        if (initramfs is not null)
        {
            layout.Initramfs = new KernelFile(initramfs, $"initramfs-{version}.img");
            Append(hash, directory, initramfs);
        }
        if (directory.Exists("aboot.img"))
        {
            layout.AndroidImage = new KernelFile("aboot.img", $"aboot-{version}.img");
        }
        if (deviceTrees)
        {
            if (directory.TryStatus("devicetree", followLinks: true) is not null)
            {
                layout.DeviceTree = new KernelFile("devicetree", $"devicetree-{version}");
                Append(hash, directory, "devicetree");
            }
            else if (directory.TryStatus("dtb", followLinks: true) is { IsDirectory: true })
            {
                layout.DeviceTreeDirectory = "dtb";
                using LinuxDirectory trees = directory.OpenDirectory("dtb", followLinks: true);
                AppendTree(hash, trees);
            }
        }
        if (directory.TryStatus(".vmlinuz.hmac", followLinks: true) is not null)
        {
            layout.Hmac = new KernelFile(".vmlinuz.hmac", $".vmlinuz-{version}.hmac");
        }
        layout.BootChecksum = Convert.ToHexStringLower(hash.GetHashAndReset());
        return layout;
    }

    private static KernelLayout? FindLegacy(LinuxDirectory deployment)
    {
        LinuxDirectory? directory = null;
        foreach (string path in LegacyDirectories)
        {
            if ((directory = deployment.TryOpenDirectory(path, followLinks: true)) is not null)
            {
                break;
            }
        }
        if (directory is null)
        {
            return null;
        }

        try
        {
            List<string> names = directory.ReadEntries().ConvertAll(e => e.Name);
            names.Sort(StringComparer.Ordinal);
            (KernelFile File, string Checksum)? kernel = FindChecksummed(names, "vmlinuz-");
            if (kernel is null)
            {
                directory.Dispose();
                return null;
            }

            (KernelFile File, string Checksum)? initramfs = FindChecksummed(names, "initramfs-");
            if (initramfs is not null && initramfs.Value.Checksum != kernel.Value.Checksum)
            {
                throw new SysrootException("Mismatched kernel checksum vs initrd");
            }
            (KernelFile File, string Checksum)? deviceTree = FindChecksummed(names, "devicetree-");
            if (deviceTree is not null && deviceTree.Value.Checksum != kernel.Value.Checksum)
            {
                throw new SysrootException("Mismatched kernel checksum vs device tree in tree");
            }
            return new KernelLayout(directory, kernel.Value.Checksum, kernel.Value.File) { Initramfs = initramfs?.File, DeviceTree = deviceTree?.File };
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>The first <c>PREFIXversion-CHECKSUM</c>; its name in /boot lacks the checksum.</summary>
    private static (KernelFile File, string Checksum)? FindChecksummed(List<string> names, string prefix)
    {
        foreach (string name in names)
        {
            int dash = name.LastIndexOf('-');
            if (name.StartsWith(prefix, StringComparison.Ordinal) && IsChecksum(name.AsSpan(dash + 1)))
            {
                return (new KernelFile(name, name[..dash]), name[(dash + 1)..]);
            }
        }
        return null;
    }

    internal static bool IsChecksum(ReadOnlySpan<char> text) => text.Length == 64 && text.IndexOfAnyExcept("0123456789abcdef") < 0;

    private static void Append(IncrementalHash hash, LinuxDirectory directory, string name)
    {
        // Links inside the tree are followed, as they are when the file is installed.
        using SafeFileHandle file = directory.OpenFile(name, OpenFlags.ReadOnly);
        byte[] buffer = new byte[128 * 1024];
        long offset = 0;
        int read;
        while ((read = RandomAccess.Read(file, buffer, offset)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            offset += read;
        }
    }

    private static void AppendTree(IncrementalHash hash, LinuxDirectory directory)
    {
        // Bytewise by name: the order in which a file system lists names is its own business.
        foreach (DirectoryEntry entry in directory.ReadEntries().OrderBy(e => FileName.ToBytes(e.Name), ByteOrder.Instance))
        {
            if (directory.Status(entry.Name).IsDirectory)
            {
                using LinuxDirectory child = directory.OpenDirectory(entry.Name);
                AppendTree(hash, child);
            }
            else if (directory.TryStatus(entry.Name, followLinks: true) is not null)
            {
                Append(hash, directory, entry.Name);
            }
        }
    }
}

/// <summary>A file of a tree's kernel directory and its name in /boot.</summary>
internal sealed record KernelFile(string Source, string Name);

/// <summary>Compares byte strings as <c>strcmp</c> does.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
