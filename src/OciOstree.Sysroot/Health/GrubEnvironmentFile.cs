using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>The environment block of the GRUB that boots a sysroot, where it has one.</summary>
internal static class GrubEnvironmentFile
{
    private static readonly string[] Places = ["boot/grub2/grubenv", "boot/grub/grubenv"];

    /// <summary>Null if this sysroot's boot loader has no such file, or none that makes sense.</summary>
    public static GrubEnvironment? TryRead(LinuxDirectory root)
    {
        if (Find(root) is not { } path)
        {
            return null;
        }
        using SafeFileHandle file = root.OpenFile(path, OpenFlags.ReadOnly);
        try
        {
            return GrubEnvironment.Parse(Files.ReadAll(file, 1 << 20));
        }
        catch (GrubEnvironmentException)
        {
            // GRUB ignores such a file, too.
            return null;
        }
    }

    /// <summary>
    /// Changes the block in place: a rename would cut a link to the EFI partition, and GRUB writes to the blocks that the file had. It lies in one sector or two
    /// of one cluster; a write that is cut in half leaves a file that GRUB ignores.
    /// </summary>
    public static void TryChange(LinuxDirectory root, Action<GrubEnvironment> change)
    {
        if (TryRead(root) is not { } environment)
        {
            return;
        }
        byte[] before = environment.Serialize();
        change(environment);
        byte[] after = environment.Serialize();
        if (before.AsSpan().SequenceEqual(after))
        {
            return;
        }
        string path = Find(root)!;
        FaultPoint.Before($"write {path}");
        using SafeFileHandle file = root.OpenFile(path, OpenFlags.ReadWrite);
        Files.WriteAt(file, after, 0, path);
        Files.Sync(file, path);
    }

    private static string? Find(LinuxDirectory root)
    {
        if (Places.FirstOrDefault(path => root.TryStatus(path, followLinks: true) is { IsRegularFile: true }) is { } found)
        {
            return found;
        }
        using LinuxDirectory? vendors = root.TryOpenDirectory("boot/efi/EFI", followLinks: true);
        return vendors?.ReadEntries().Select(vendor => $"boot/efi/EFI/{vendor.Name}/grubenv").Order(StringComparer.Ordinal)
            .FirstOrDefault(path => root.TryStatus(path, followLinks: true) is { IsRegularFile: true });
    }
}
