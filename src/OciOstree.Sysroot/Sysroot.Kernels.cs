using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.BootLoaderSpec;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private const string OverlayDirectory = "ostree/initramfs-overlays";

    /// <summary>Copies a deployment's kernel to /boot where it is not there yet and writes its entry. <paramref name="installed"/> gets what is new in /boot.</summary>
    private void InstallKernel(int version, Deployment deployment, int total, bool nameStateroot, List<string> installed)
    {
        try
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            using KernelLayout kernel = KernelLayout.Find(root, !debug.NoDeviceTrees);
            string directoryName = $"ostree/{deployment.Stateroot}-{deployment.BootChecksum}";
            using DeploymentLabels labels = OpenBootLabels(root);
            InstallFiles(kernel, directoryName, labels, installed);
            List<string> overlays = InstallOverlays(deployment, labels, installed);
            BootEntry entry = deployment.BootEntry;
            DescribeEntry(entry, root, kernel, directoryName, deployment, total, nameStateroot, version, overlays);
            using LinuxDirectory entries = BootDirectory.OpenDirectory(Invariant($"loader.{version}/entries"));
            string name = EntryFileName(deployment, total);
            Changes.ReplaceFile(entries, name, entry.Serialize(), sync: false, labels.Of($"/boot/loader/entries/{name}", ModeBits.RegularFile | 0x1A4));
            LabelBootDirectories(labels, "loader", Invariant($"loader.{version}"), Invariant($"loader.{version}/entries"), "ostree", directoryName);
        }
        catch (Exception e) when (e is LinuxException or SysrootException or FormatException)
        {
            throw new SysrootException($"Installing kernel of {deployment.Name}", e);
        }
    }

    /// <summary>Directories get the labels that a kernel with this policy would have made them with.</summary>
    private void LabelBootDirectories(DeploymentLabels labels, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (labels.HasPolicy && BootDirectory.TryStatus(name) is { IsDirectory: true })
            {
                labels.Set(BootDirectory, name, $"/boot/{name}");
            }
        }
    }

    private void InstallFiles(KernelLayout kernel, string directoryName, DeploymentLabels labels, List<string> installed)
    {
        LinuxDirectory boot = BootDirectory;
        if (boot.TryStatus(directoryName) is null)
        {
            installed.Add(directoryName);
            Changes.MakePath(boot, directoryName, DirectoryMode);
        }
        using LinuxDirectory target = boot.OpenDirectory(directoryName);
        foreach (KernelFile file in kernel.Files)
        {
            if (target.TryStatus(file.Name, followLinks: true) is null)
            {
                installed.Add($"{directoryName}/{file.Name}");
                InstallFile(kernel.Directory, file.Source, target, file.Name, labels);
            }
        }
        if (kernel.DeviceTreeDirectory is { } trees)
        {
            // Without extended attributes: the tree's labels are wrong for /boot.
            TreeCopy.CopyDirectory(kernel.Directory, trees, target, trees, xattrs: false);
        }
    }

    /// <summary>A hard link where /boot is on the tree's file system, else a flushed copy with owner and mode.</summary>
    private void InstallFile(LinuxDirectory from, string name, LinuxDirectory to, string newName, DeploymentLabels labels)
    {
        FaultPoint.Before($"install {newName}");
        if (from.TryMakeLink(name, to, newName, out Errno errno))
        {
            return;
        }
        if (errno is not (Errno.EXDEV or Errno.EMLINK or Errno.EPERM))
        {
            throw new LinuxException(errno, "link", to.PathOf(newName));
        }
        using SafeFileHandle source = from.OpenFile(name, OpenFlags.ReadOnly);
        FileStatus status = Files.Status(source);
        using TemporaryFile copy = to.CreateTemporaryFile();
        Files.CopyAll(source, copy.Handle, status.Size);
        Files.SetOwner(copy.Handle, status.Uid, status.Gid);
        Files.SetMode(copy.Handle, status.Permissions);
        // The label that the kernel has among its modules is not one for /boot.
        if (labels.Of($"/boot/{newName}", ModeBits.RegularFile | 0x1A4) is { } label
            && !Xattrs.TrySet(copy.Handle, label.Name, label.Value, out errno) && errno != Errno.EOPNOTSUPP)
        {
            throw new LinuxException(errno, "label", to.PathOf(newName));
        }
        Files.SyncData(copy.Handle);
        // Never demanded here: /boot is often another file system, one that old boot loaders can read.
        if (Repo.Settings.FsVerity != Tristate.No)
        {
            copy.EndWriting();
            FsVerity.TryEnable(copy.Handle, to.PathOf(newName));
        }
        copy.LinkAs(to, newName);
    }

    private List<string> InstallOverlays(Deployment deployment, DeploymentLabels labels, List<string> installed)
    {
        var paths = new List<string>();
        foreach (string checksum in deployment.OverlayInitrds)
        {
            LinuxDirectory boot = BootDirectory;
            string path = $"{OverlayDirectory}/{checksum}.img";
            Changes.MakePath(boot, OverlayDirectory, DirectoryMode);
            if (boot.TryStatus(path) is null)
            {
                installed.Add(path);
                using LinuxDirectory staged = LinuxDirectory.Open(RuntimePath("ostree/staged-initrds"));
                using LinuxDirectory target = boot.OpenDirectory(OverlayDirectory);
                InstallFile(staged, checksum, target, $"{checksum}.img", labels);
            }
            paths.Add(BootPath(path));
        }
        return paths;
    }

    private void DescribeEntry(BootEntry entry, LinuxDirectory root, KernelLayout kernel, string directoryName, Deployment deployment, int total, bool nameStateroot, int version, List<string> overlays)
    {
        entry.Title = Title(root, deployment, nameStateroot);
        entry.Version = Invariant($"{total - deployment.Index}");
        entry.Linux = BootPath($"{directoryName}/{kernel.Kernel.Name}");
        var link = new BootLink(version, deployment.Stateroot, deployment.BootChecksum, deployment.BootSerial);
        KernelArguments arguments = KernelArguments.Parse(entry.Options);
        if (kernel.Initramfs is { } initramfs)
        {
            entry.Initrd = BootPath($"{directoryName}/{initramfs.Name}");
            entry.OverlayInitrds.Clear();
            entry.OverlayInitrds.AddRange(overlays);
        }
        else
        {
            arguments.Replace($"init={link}/usr/lib/ostree/ostree-prepare-root");
        }
        if (kernel.AndroidImage is { } image)
        {
            entry.Set("aboot", $"/{directoryName}/{image.Name}");
            entry.Set("abootcfg", $"/{deployment.Path}/usr/lib/ostree-boot/aboot.cfg");
        }
        if (kernel.DeviceTree is { } tree)
        {
            entry.Set("devicetree", BootPath($"{directoryName}/{tree.Name}"));
        }
        else if (kernel.DeviceTreeDirectory is { } trees)
        {
            entry.Set("fdtdir", BootPath($"{directoryName}/{trees}"));
        }
        arguments.Replace($"ostree={link}");
        entry.Options = arguments.ToString();
        if (deployment.Index > 0)
        {
            foreach ((string key, string value) in Settings.AppendedExceptDefault)
            {
                entry.Set(key, value);
            }
        }
    }

    /// <summary>Boot loaders see /boot's file system, or the root's: <c>sysroot.bootprefix</c> says which.</summary>
    private string BootPath(string path) => (Settings.BootPrefix ? "/boot/" : "/") + path;

    /// <summary>Other programs look for <c>(ostree</c> in titles to tell ostree's entries from others.</summary>
    private string Title(LinuxDirectory root, Deployment deployment, bool nameStateroot)
    {
        using SafeFileHandle release = root.TryOpenInRoot("usr/lib/os-release") ?? root.TryOpenInRoot("etc/os-release")
            ?? throw new SysrootException("The tree has neither /usr/lib/os-release nor /etc/os-release");
        Dictionary<string, string> values = OsRelease.Parse(Encoding.UTF8.GetString(Files.ReadAll(release, SmallFile)));
        string name = values.GetValueOrDefault("PRETTY_NAME") ?? values.GetValueOrDefault("ID")
            ?? throw new SysrootException("No PRETTY_NAME or ID in /etc/os-release");
        var title = new StringBuilder(name);
        if (VersionOf(deployment.Commit) is { Length: > 0 } version && !name.Contains(version, StringComparison.Ordinal))
        {
            title.Append(' ').Append(version);
        }
        title.Append(" (ostree");
        if (nameStateroot)
        {
            title.Append(':').Append(deployment.Stateroot);
        }
        return title.Append(Invariant($":{deployment.Index})")).ToString();
    }

    /// <summary>
    /// The entry's file name: boot loaders that ignore the version field sort by it. With boot counting on, a new entry carries its tries, and an old one what is left of them.
    /// </summary>
    private string EntryFileName(Deployment deployment, int total)
    {
        string name = Invariant($"ostree-{total - deployment.Index}");
        if (debug.OldEntryNames)
        {
            name += $"-{deployment.Stateroot}";
        }
        if (Settings.BootCountingTries == 0)
        {
            return $"{name}.conf";
        }
        if (deployment.EntryFileName is null)
        {
            return Invariant($"{name}+{Settings.BootCountingTries}.conf");
        }
        (ulong left, ulong done) = BootTries.Parse(deployment.EntryFileName);
        return left == 0 && done == 0 ? $"{name}.conf" : Invariant($"{name}+{left}-{done}.conf");
    }

    /// <summary>The menu entries that grub-mkconfig's ostree script includes, for <c>loader.VERSION</c> (the current one if null).</summary>
    /// <param name="version">0 or 1.</param>
    /// <param name="deviceId">What grub-mkconfig calls the device with the kernels.</param>
    /// <param name="prepareRoot">GRUB commands that make that device readable.</param>
    public string GenerateGrub2MenuEntries(int? version, string deviceId, string prepareRoot) =>
        Grub2Bootloader.GenerateForMkconfig(this, version ?? BootVersion, deviceId, prepareRoot);
}
