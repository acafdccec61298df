using System.Globalization;
using OciOstree.Formats.BootLoaderSpec;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private const long SmallFile = 1 << 20;

    /// <summary>Reads the deployments again. Objects handed out before stand for the state before.</summary>
    public void Reload()
    {
        BootVersion = ReadBootVersion();
        SubBootVersion = ReadSubBootVersion(BootVersion);
        Booted = null;
        Staged = null;

        var deployments = new List<Deployment>();
        foreach ((string fileName, BootEntry entry) in ReadEntries(BootVersion))
        {
            deployments.Add(LoadDeployment(fileName, entry));
        }
        if (IsBooted && Booted is null)
        {
            throw new SysrootException(Root.TryStatus("boot/loader") is null
                ? "Unexpected state: /run/ostree-booted found, but no /boot/loader directory"
                : "Unexpected state: /run/ostree-booted found and in / sysroot, but bootloader entry not found");
        }
        if (IsBooted && LoadStaged() is { } staged)
        {
            Staged = staged;
            deployments.Insert(0, staged);
        }
        this.deployments = deployments;
        MarkSoftRebootTarget();
        for (int i = 0; i < deployments.Count; i++)
        {
            deployments[i].Index = i;
        }
    }

    private int ReadBootVersion()
    {
        if (Root.TryStatus("boot/loader") is not { } status)
        {
            return 0;
        }
        if (!status.IsSymbolicLink)
        {
            throw new SysrootException("Not a symbolic link: boot/loader");
        }
        return Root.ReadLink("boot/loader") switch
        {
            "loader.0" => 0,
            "loader.1" => 1,
            var other => throw new SysrootException($"Invalid target '{other}' in boot/loader"),
        };
    }

    private int ReadSubBootVersion(int bootVersion)
    {
        string name = $"boot.{bootVersion}";
        if (OstreeDirectory.TryStatus(name) is null)
        {
            return 0;
        }
        string target = OstreeDirectory.ReadLink(name);
        return target.EndsWith(".0", StringComparison.Ordinal) ? 0
            : target.EndsWith(".1", StringComparison.Ordinal) ? 1
            : throw new SysrootException($"Invalid target '{target}' in ostree/{name}");
    }

    /// <summary>The loader's entries that are ostree's, in boot order: by version, the highest first.</summary>
    internal List<(string FileName, BootEntry Entry)> ReadEntries(int bootVersion)
    {
        var entries = new List<(string FileName, BootEntry Entry)>();
        using LinuxDirectory? directory = TryOpenBoot()?.TryOpenDirectory($"loader.{bootVersion}/entries", followLinks: true);
        foreach (DirectoryEntry file in directory?.ReadEntries() ?? [])
        {
            if (file.Name.StartsWith("ostree-", StringComparison.Ordinal) && file.Name.EndsWith(".conf", StringComparison.Ordinal)
                && directory!.Status(file.Name, followLinks: true).IsRegularFile)
            {
                try
                {
                    entries.Add((file.Name, BootEntry.Parse(directory.ReadAllBytes(file.Name, SmallFile))));
                }
                catch (FormatException e)
                {
                    throw new SysrootException($"Parsing {file.Name}", e);
                }
            }
        }
        // Entries without a version come last; equal ones keep an order that does not depend on the file system.
        return [.. entries.OrderBy(e => e.FileName, StringComparer.Ordinal)
            .OrderByDescending(e => e.Entry.Version, Comparer<string?>.Create((a, b) => (a, b) switch
            {
                (null, null) => 0,
                (null, _) => -1,
                (_, null) => 1,
                _ => VersionOrder.Instance.Compare(a, b),
            }))];
    }

    private Deployment LoadDeployment(string fileName, BootEntry entry)
    {
        string argument = entry.Options?.Split(' ').FirstOrDefault(word => word.StartsWith("ostree=", StringComparison.Ordinal))
            ?? throw new SysrootException($"No ostree= kernel argument found in {fileName}");
        BootLink link = BootLink.Parse(argument["ostree=".Length..]);
        try
        {
            string relative = link.ToString()["/ostree/".Length..];
            string target = OstreeDirectory.ReadLink(relative);
            DeploymentName name = DeploymentName.Parse(target[(target.LastIndexOf('/') + 1)..]);
            using LinuxDirectory directory = OstreeDirectory.OpenDirectory(relative, followLinks: true);
            FileStatus status = directory.Status();
            var deployment = new Deployment(link.Stateroot, name.Commit, name.Serial, link.BootChecksum, link.BootSerial)
            {
                BootEntry = entry,
                EntryFileName = fileName,
                Device = status.Device,
                Inode = status.Inode,
                OverlayInitrds = [.. entry.OverlayInitrds.Select(OverlayChecksum)],
            };
            deployment.Origin = LoadOrigin(deployment);
            deployment.Unlocked = LoadUnlocked(deployment);
            if (IsBooted && Booted is null && IsRunningFrom(status))
            {
                Booted = deployment;
            }
            return deployment;
        }
        catch (Exception e) when (e is SysrootException or LinuxException)
        {
            throw new SysrootException($"Parsing deployment {link} in stateroot '{link.Stateroot}'", e);
        }
    }

    private static string OverlayChecksum(string path)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        return name.Length == 64 + ".img".Length ? name[..64] : throw new SysrootException($"Malformed overlay initrd filename: {name}");
    }

    /// <summary>
    /// What the boot recorded as the deployment's directory, before anything was mounted over it; older versions of
    /// ostree-prepare-root record nothing and mount the directory itself.
    /// </summary>
    private bool IsRunningFrom(in FileStatus status)
    {
        if (bootedMetadata?.Lookup("backing-root-device-inode") is { Type: "(tt)" } recorded)
        {
            return status.Device == recorded[0].AsUInt64() && status.Inode == recorded[1].AsUInt64();
        }
        return status.IsSameFile(runningRoot);
    }

    private Origin? LoadOrigin(Deployment deployment)
    {
        byte[]? content = Root.TryReadAllBytes(deployment.OriginPath, SmallFile);
        try
        {
            return content is null ? null : Origin.Parse(content);
        }
        catch (KeyfileException e)
        {
            throw new SysrootException($"Parsing {deployment.OriginPath}", e);
        }
    }

    private UnlockedState LoadUnlocked(Deployment deployment)
    {
        string state = RuntimePath($"ostree/deployment-state/{deployment.Name}/");
        return Files.TryStatus(state + "unlocked-development", followLinks: false) is not null ? UnlockedState.Development
            : Files.TryStatus(state + "unlocked-transient", followLinks: false) is not null ? UnlockedState.Transient
            : deployment.Origin?.Unlocked == "hotfix" ? UnlockedState.Hotfix
            : UnlockedState.None;
    }

    /// <summary>A soft reboot that was prepared names its target by device and inode, as a boot does.</summary>
    private void MarkSoftRebootTarget()
    {
        if (ReadRuntime(NextRootFile) is not { } metadata
            || Variant.FromBytes("a{sv}", metadata).Lookup("backing-root-device-inode") is not { Type: "(tt)" } recorded)
        {
            return;
        }
        ulong device = recorded[0].AsUInt64();
        ulong inode = recorded[1].AsUInt64();
        if (deployments.Find(d => d.Device == device && d.Inode == inode) is { } target)
        {
            target.IsSoftRebootTarget = true;
        }
    }

    /// <summary>A deployment that is only a directory: nothing leads to it (yet).</summary>
    private List<Deployment> ListDirectories()
    {
        var found = new List<Deployment>();
        using LinuxDirectory? stateroots = OstreeDirectory.TryOpenDirectory("deploy");
        foreach (DirectoryEntry stateroot in stateroots?.ReadEntries() ?? [])
        {
            if (stateroot.Type == FileType.Directory)
            {
                found.AddRange(ListDirectories(stateroot.Name));
            }
        }
        return found;
    }

    private List<Deployment> ListDirectories(string stateroot)
    {
        var found = new List<Deployment>();
        using LinuxDirectory? directory = OstreeDirectory.TryOpenDirectory($"deploy/{stateroot}/deploy");
        foreach (DirectoryEntry entry in directory?.ReadEntries() ?? [])
        {
            if (entry.Type == FileType.Directory)
            {
                DeploymentName name = DeploymentName.Parse(entry.Name);
                found.Add(new Deployment(stateroot, name.Commit, name.Serial, "", -1));
            }
        }
        return found;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
