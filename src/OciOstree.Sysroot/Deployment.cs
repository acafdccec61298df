using OciOstree.Formats.BootLoaderSpec;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>One bootable root: a commit checked out under a stateroot, with its own <c>/etc</c>, its boot entry and its origin.</summary>
public sealed class Deployment
{
    internal Deployment(string stateroot, Checksum commit, int serial, string bootChecksum, int bootSerial)
    {
        Stateroot = stateroot;
        Commit = commit;
        Serial = serial;
        BootChecksum = bootChecksum;
        BootSerial = bootSerial;
    }

    /// <summary>The name under which deployments share one <c>/var</c>.</summary>
    public string Stateroot { get; }

    public Checksum Commit { get; }

    /// <summary>Tells several deployments of one commit apart.</summary>
    public int Serial { get; }

    /// <summary>The digest over kernel, initramfs and device trees that names their directory in <c>/boot/ostree</c>; empty while only the directory is known.</summary>
    public string BootChecksum { get; internal set; }

    /// <summary>Tells deployments with one <see cref="BootChecksum"/> apart in <c>ostree=</c>.</summary>
    public int BootSerial { get; internal set; }

    /// <summary>Null when there is no origin file: the deployment then cannot be upgraded.</summary>
    public Origin? Origin { get; internal set; }

    /// <summary>Place in the boot order; 0 boots by default. -1 while not part of it.</summary>
    public int Index { get; internal set; } = -1;

    /// <summary>Waits for the shutdown to get its <c>/etc</c> and boot entry.</summary>
    public bool IsStaged { get; internal set; }

    /// <summary>A staged deployment that shutdown shall leave alone until it is unlocked.</summary>
    public bool IsFinalizationLocked { get; internal set; }

    public bool IsPinned => Origin?.Pinned ?? false;

    public UnlockedState Unlocked { get; internal set; }

    /// <summary>The next soft reboot goes here.</summary>
    public bool IsSoftRebootTarget { get; internal set; }

    /// <summary>SHA-256 of initramfs images loaded after the tree's own.</summary>
    public IReadOnlyList<string> OverlayInitrds { get; internal set; } = [];

    /// <summary>Relative to the sysroot: <c>ostree/deploy/STATEROOT/deploy/CHECKSUM.SERIAL</c>.</summary>
    public string Path => $"ostree/deploy/{Stateroot}/deploy/{Name}";

    /// <summary>The origin file, relative to the sysroot.</summary>
    public string OriginPath => $"{Path}.origin";

    /// <summary>Overlays and other state of this deployment alone, relative to the sysroot.</summary>
    public string BackingPath => $"ostree/deploy/{Stateroot}/backing/{Name}";

    /// <summary>The kernel command line, with <c>ostree=</c> once the deployment has a boot entry.</summary>
    public KernelArguments KernelArguments => KernelArguments.Parse(BootEntry.Options);

    internal string Name => new DeploymentName(Commit, Serial).ToString();

    /// <summary>Parsed from the loader's entries, or the beginnings of one.</summary>
    internal BootEntry BootEntry { get; set; } = new();

    /// <summary>The name of the file that <see cref="BootEntry"/> came from; null for a deployment that has none yet.</summary>
    internal string? EntryFileName { get; set; }

    internal ulong Device { get; set; }

    internal ulong Inode { get; set; }

    /// <summary>Whether both name one directory on disk.</summary>
    public bool IsSame(Deployment? other) =>
        other is not null && Stateroot == other.Stateroot && Commit == other.Commit && Serial == other.Serial;

    internal Deployment Clone() => new(Stateroot, Commit, Serial, BootChecksum, BootSerial)
    {
        Origin = Origin?.Clone(),
        Index = Index,
        IsStaged = IsStaged,
        IsFinalizationLocked = IsFinalizationLocked,
        Unlocked = Unlocked,
        IsSoftRebootTarget = IsSoftRebootTarget,
        OverlayInitrds = OverlayInitrds,
        BootEntry = BootEntry.Parse(BootEntry.Serialize()),
        EntryFileName = EntryFileName,
        Device = Device,
        Inode = Inode,
    };
}
