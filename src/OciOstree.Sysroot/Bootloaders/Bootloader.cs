using System.Text;
using OciOstree.Formats.BootLoaderSpec;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// A boot loader that needs a configuration of its own beside the Boot Loader Specification entries. Those that read the entries themselves
/// (systemd-boot, GRUB with blscfg) need none of this.
/// </summary>
internal abstract class Bootloader(Sysroot sysroot)
{
    public abstract string Name { get; }

    /// <summary>Whether its configuration becomes current with the <c>loader</c> link, at once.</summary>
    public virtual bool IsAtomic => true;

    protected Sysroot Sysroot { get; } = sysroot;

    protected LinuxDirectory Boot => Sysroot.BootDirectory;

    /// <summary>Whether this sysroot is set up for it.</summary>
    public abstract bool IsActive();

    /// <summary>Writes the configuration for <c>loader.VERSION</c>, before that becomes current.</summary>
    public abstract void WriteConfig(int version, IReadOnlyList<Deployment> deployments);

    /// <summary>Takes back, after an error before the switch, what <see cref="WriteConfig"/> has changed outside of <c>loader.VERSION</c>.</summary>
    public virtual void UndoConfig()
    {
    }

    /// <summary>What has to follow the switch, for boot loaders that read block lists instead of files.</summary>
    public virtual void AfterSwitch(int version)
    {
    }

    /// <summary>The configured one; with <c>auto</c> the first that finds its own configuration; null when there is nothing to write.</summary>
    public static Bootloader? Find(Sysroot sysroot) => sysroot.Settings.Bootloader switch
    {
        "none" => null,
        "syslinux" => new SyslinuxBootloader(sysroot),
        "grub2" => new Grub2Bootloader(sysroot),
        "uboot" => new UBootBootloader(sysroot),
        "zipl" => new ZiplBootloader(sysroot),
        "aboot" => new AbootBootloader(sysroot),
        _ => new Bootloader[] { new SyslinuxBootloader(sysroot), new Grub2Bootloader(sysroot), new UBootBootloader(sysroot) }.FirstOrDefault(b => b.IsActive()),
    };

    protected IEnumerable<BootEntry> Entries(int version) => Sysroot.ReadEntries(version).Select(e => e.Entry);

    protected static string KernelOf(BootEntry entry) => entry.Linux ?? throw new SysrootException("No \"linux\" key in bootloader config");

    protected string ReadConfig(string path) => Encoding.UTF8.GetString(Boot.ReadAllBytes(path, 4 << 20));

    /// <summary>Joins lines, keeping one empty line of all.</summary>
    protected static byte[] JoinLines(IEnumerable<string> lines)
    {
        var text = new StringBuilder();
        bool first = true;
        bool emptySeen = false;
        foreach (string line in lines)
        {
            if (line.Length == 0)
            {
                // Only ever one empty line is kept in the whole file: that is how the configurations in the field look.
                if (emptySeen || first)
                {
                    first = false;
                    continue;
                }
                emptySeen = true;
            }
            first = false;
            text.Append(line).Append('\n');
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
