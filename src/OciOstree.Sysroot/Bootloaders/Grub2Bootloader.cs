using System.Globalization;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// GRUB 2 with a generated configuration: <c>boot/grub/grub.cfg</c> or <c>boot/grub2/grub.cfg</c>, a link to <c>../loader/grub.cfg</c>, or on EFI a file beside the
/// loader. <c>grub-mkconfig</c> (or what <c>OSTREE_GRUB2_EXEC</c> names) writes it; where the machine has none, we write menu entries ourselves.
/// </summary>
internal sealed class Grub2Bootloader(Sysroot sysroot) : Bootloader(sysroot)
{
    // The EFI configuration that the switch under way has replaced.
    private string? replaced;

    private static readonly string[] BiosConfigs = ["boot/grub/grub.cfg", "boot/grub2/grub.cfg"];

    public override string Name => "grub2";

    // FAT has no links: the EFI configuration is replaced by a rename of its own.
    public override bool IsAtomic => FindEfiConfig() is null;

    public override bool IsActive() => !HasStaticConfig() && (BiosConfigs.Any(path => Sysroot.Root.TryStatus(path, followLinks: true) is not null) || FindEfiConfig() is not null);

    public override void WriteConfig(int version, IReadOnlyList<Deployment> deployments)
    {
        string? efi = FindEfiConfig();
        string target = efi is null ? $"boot/loader.{version}/grub.cfg" : $"{efi}.new";
        Changes.TryUnlink(Sysroot.Root, target);
        if (FindGenerator(deployments) is { } generator)
        {
            FaultPoint.Before($"run {generator.Program}");
            RequiredProgram.Run(
                generator.Program, [.. generator.Arguments, "-o", generator.Chroot ? $"/{target}" : System.IO.Path.Combine(Sysroot.Path, target)], environment: Environment(version, efi is not null));
        }
        else
        {
            Changes.ReplaceFile(Sysroot.Root, target, Encoding.UTF8.GetBytes(MenuEntries(version)), sync: false);
        }
        using (var file = Sysroot.Root.OpenFile(target))
        {
            Files.SyncData(file);
        }
        if (efi is not null)
        {
            Changes.TryUnlink(Sysroot.Root, $"{efi}.old");
            using (var current = Sysroot.Root.OpenFile(efi))
            {
                Changes.ReplaceFile(Sysroot.Root, $"{efi}.old", Files.ReadAll(current, 4 << 20), sync: true);
            }
            // The rename is a switch of its own: what the new configuration names must be on disk before it.
            Sysroot.FlushAll();
            Changes.Rename(Sysroot.Root, target, efi);
            replaced = efi;
        }
    }

    public override void UndoConfig()
    {
        if (replaced is { } efi)
        {
            Changes.Rename(Sysroot.Root, $"{efi}.old", efi);
        }
    }

    /// <summary>bootupd installs a configuration that reads the entries itself; writing another one would only break it.</summary>
    private bool HasStaticConfig() =>
        Sysroot.Root.TryReadAllBytes("boot/bootupd-state.json", 4 << 20) is { } state
        && Encoding.UTF8.GetString(state) is var text
        && text.Contains("\"static-configs\":", StringComparison.Ordinal)
        && !text.Contains("\"static-configs\":null", StringComparison.Ordinal);

    private string? FindEfiConfig()
    {
        if (BiosConfigs.Any(path => Sysroot.Root.TryStatus(path, followLinks: true) is not null))
        {
            return null;
        }
        using LinuxDirectory? vendors = Sysroot.Root.TryOpenDirectory("boot/efi/EFI", followLinks: true);
        return vendors?.ReadEntries()
            .Where(e => e.Name != "BOOT" && vendors.Status(e.Name).IsDirectory)
            .Select(e => $"boot/efi/EFI/{e.Name}/grub.cfg")
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(path => Sysroot.Root.TryStatus(path, followLinks: true) is not null);
    }

    private (string Program, string[] Arguments, bool Chroot)? FindGenerator(IReadOnlyList<Deployment> deployments)
    {
        if (System.Environment.GetEnvironmentVariable("OSTREE_GRUB2_EXEC") is { Length: > 0 } chosen)
        {
            return (chosen, [], false);
        }
        // A generator describes the machine it runs on: for another root it must come from there.
        if (Sysroot.Booted is null && Sysroot.Path != "/")
        {
            string root = Sysroot.PathOf(deployments[0]);
            string? inside = new[] { "usr/sbin/grub2-mkconfig", "usr/sbin/grub-mkconfig" }.FirstOrDefault(path => File.Exists($"{root}/{path}"));
            return inside is not null && System.IO.Path.GetFullPath(Sysroot.Path) == "/sysroot" ? ("chroot", [root, $"/{inside}"], true) : null;
        }
        string? found = (System.Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin").Split(':')
            .SelectMany(directory => new[] { $"{directory}/grub2-mkconfig", $"{directory}/grub-mkconfig" })
            .FirstOrDefault(File.Exists);
        return found is null ? null : (found, [], false);
    }

    private static Dictionary<string, string> Environment(int version, bool efi)
    {
        var environment = new Dictionary<string, string> { ["_OSTREE_GRUB2_BOOTVERSION"] = version.ToString(CultureInfo.InvariantCulture) };
        if (efi)
        {
            environment["_OSTREE_GRUB2_IS_EFI"] = "1";
        }
        return environment;
    }

    private string MenuEntries(int version)
    {
        // GRUB reads the file system that /boot is on: with the root's, paths begin at the root.
        bool onRoot = Boot.Status().Device == Sysroot.OstreeDirectory.Status().Device && !Sysroot.Settings.BootPrefix;
        // Of a btrfs subvolume GRUB sees the whole file system.
        string subvolume = Mounts.Find(Boot.Path) is { Type: "btrfs" } mount ? mount.Root.TrimEnd('/') : "";
        string prefix = subvolume + (onRoot ? "/boot" : "");
        var text = new StringBuilder("# Generated from the boot loader entries: changes made here are lost.\nset default=0\nset timeout=5\n\n");
        if (Sysroot.Settings.BootCountingTries > 0)
        {
            text.Append(Countdown());
        }
        foreach (var entry in Entries(version))
        {
            text.Append(CultureInfo.InvariantCulture, $"menuentry {Quote(entry.Title ?? "(Untitled)")} --class gnu-linux --class os --unrestricted {{\n");
            text.Append(CultureInfo.InvariantCulture, $"\tlinux {prefix}{KernelOf(entry)} {entry.Options}\n");
            if (entry.Initrd is { } initrd)
            {
                text.Append(CultureInfo.InvariantCulture, $"\tinitrd {string.Join(' ', entry.OverlayInitrds.Prepend(initrd).Select(path => prefix + path))}\n");
            }
            if (entry.DeviceTree is { } tree)
            {
                text.Append(CultureInfo.InvariantCulture, $"\tdevicetree {prefix}{tree}\n");
            }
            text.Append("}\n\n");
        }
        return text.ToString();
    }

    /// <summary>
    /// Counts the tries of a default that has not proven itself, and boots the second entry when none is left: what the <c>increment</c> module does elsewhere, which not every GRUB has.
    /// </summary>
    private string Countdown()
    {
        var text = new StringBuilder("load_env\nif [ -n \"${boot_counter}\" -a \"${boot_success}\" = \"0\" ]; then\n");
        text.Append("\tif [ \"${boot_counter}\" = \"0\" -o \"${boot_counter}\" = \"-1\" ]; then\n\t\tset default=1\n\t\tset boot_counter=-1\n");
        for (int left = 1; left <= Sysroot.Settings.BootCountingTries; left++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\telif [ \"${{boot_counter}}\" = \"{left}\" ]; then\n\t\tset boot_counter={left - 1}\n");
        }
        return text.Append("\tfi\n\tsave_env boot_counter\nfi\n\n").ToString();
    }

    /// <summary>What <c>ostree admin instutil grub2-generate</c> prints: the menu entries that grub-mkconfig's ostree script includes.</summary>
    public static string GenerateForMkconfig(Sysroot sysroot, int version, string deviceId, string prepareRoot)
    {
        // Old GRUBs took the kernel by linux16 on a BIOS and by linuxefi on EFI; in those of today linux serves both, and linuxefi is not everywhere.
        var text = new StringBuilder();
        int index = 0;
        foreach ((_, var entry) in sysroot.ReadEntries(version))
        {
            text.Append(CultureInfo.InvariantCulture, $"menuentry {Quote(entry.Title ?? "(Untitled)")} --class gnu-linux --class gnu --class os --unrestricted {Quote($"ostree-{index++}-{deviceId}")} {{\n");
            text.Append("load_video\nset gfxpayload=keep\ninsmod gzio\n").Append(prepareRoot).Append('\n');
            text.Append(CultureInfo.InvariantCulture, $"linux {KernelOf(entry)}");
            text.Append(entry.Options is null ? "\n" : $" {entry.Options}\n");
            if (entry.Initrd is { } initrd)
            {
                text.Append(CultureInfo.InvariantCulture, $"initrd {initrd}\n");
            }
            if (entry.DeviceTree is { } tree)
            {
                text.Append(CultureInfo.InvariantCulture, $"devicetree {tree}\n");
            }
            text.Append("}\n");
        }
        return text.ToString();
    }

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
