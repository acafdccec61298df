using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    // What entries and directories take besides the kernels.
    private const long SpaceMargin = 1 << 20;

    /// <summary>
    /// When /boot has no room for old and new kernels together, drops the deployments that the new order does not keep first, so that their kernels make room.
    /// Only on a booted system with a /boot of its own: elsewhere a full disk is for the caller to see.
    /// </summary>
    private void PruneBootEarly(IReadOnlyList<Deployment> wanted)
    {
        if (Booted is null || BootDirectory.Status().Device == OstreeDirectory.Status().Device)
        {
            return;
        }
        CleanBoot();
        var present = new Dictionary<string, long>();
        foreach (string name in BootDirectories())
        {
            using LinuxDirectory directory = BootDirectory.OpenDirectory($"ostree/{name}");
            present[name[(name.LastIndexOf('-') + 1)..]] = SizeOf(directory);
        }

        HashSet<string> kept = [.. wanted.Select(d => d.BootChecksum)];
        long needed = 0;
        foreach (Deployment deployment in wanted.DistinctBy(d => d.BootChecksum).Where(d => !present.ContainsKey(d.BootChecksum)))
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            using KernelLayout kernel = KernelLayout.Find(root, !debug.NoDeviceTrees);
            needed += SizeOf(kernel);
        }
        if (needed == 0 || HasRoomFor(needed))
        {
            return;
        }
        long freed = present.Where(p => !kept.Contains(p.Key)).Sum(p => p.Value);
        if (freed == 0 || (needed > freed && !HasRoomFor(needed - freed)))
        {
            // It would not fit anyway: let the write fail with the old state as it is.
            return;
        }
        Tell("Insufficient space left in bootfs; updating bootloader in two steps");
        Write([.. deployments.Where(d => kept.Contains(d.BootChecksum))], clean: false);
        CleanBoot();
    }

    private bool HasRoomFor(long bytes)
    {
        // Asking the file system to set blocks aside is the only answer that counts its own overheads.
        using TemporaryFile probe = BootDirectory.CreateTemporaryFile();
        try
        {
            // A file system that cannot set space aside is taken to have it.
            Files.TryAllocate(probe.Handle, bytes + SpaceMargin);
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOSPC)
        {
            return false;
        }
    }

    private static long SizeOf(KernelLayout kernel)
    {
        long size = kernel.Files.Sum(file => InBlocks(kernel.Directory.Status(file.Source, followLinks: true).Size));
        if (kernel.DeviceTreeDirectory is { } trees)
        {
            using LinuxDirectory directory = kernel.Directory.OpenDirectory(trees, followLinks: true);
            size += SizeOf(directory);
        }
        return size;
    }

    private static long SizeOf(LinuxDirectory directory)
    {
        long size = 0;
        foreach (DirectoryEntry entry in directory.ReadEntries())
        {
            FileStatus status = directory.Status(entry.Name);
            if (status.IsDirectory)
            {
                using LinuxDirectory child = directory.OpenDirectory(entry.Name);
                size += SizeOf(child);
            }
            else
            {
                size += InBlocks(status.Size);
            }
        }
        return size;
    }

    private static long InBlocks(long size) => (size + 4095) / 4096 * 4096;
}
