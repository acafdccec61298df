using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>Starting another deployment without the firmware: by systemd's soft reboot, which keeps the kernel, or by kexec, which does not.</summary>
public sealed partial class Sysroot
{
    private const string NextRootFile = "ostree/nextroot-booted";

    /// <summary>Whether a deployment could take over under the running kernel: same kernel files, same arguments but <c>ostree=</c>.</summary>
    public bool CanSoftReboot(Deployment deployment)
    {
        if (Booted is null || Booted.BootChecksum != deployment.BootChecksum)
        {
            return false;
        }
        return deployment.BootEntry.Options is null || WithoutOstree(Booted) == WithoutOstree(deployment);

        static string WithoutOstree(Deployment one) =>
            string.Join(' ', one.KernelArguments.ToList().Where(word => !word.StartsWith("ostree=", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Sets a deployment up at <c>/run/nextroot</c>, from where systemd's soft reboot starts it.
    /// </summary>
    /// <exception cref="SysrootException">The kernel would have to change with it, or the deployment is no composefs image: other roots would need mounts
    /// of <c>/usr</c> and <c>/etc</c> that only an initramfs makes.</exception>
    public void PrepareSoftReboot(Deployment deployment)
    {
        RequireWritable();
        const string doing = "Preparing /run/nextroot for a soft-reboot";
        if (Booted is null)
        {
            throw new SysrootException("Not currently booted into an OSTree system");
        }
        if (!CanSoftReboot(deployment))
        {
            throw new SysrootException(doing, new SysrootException("Cannot soft-reboot to deployment with different kernel state"));
        }
        (options.StartFinalization ?? StartFinalizationUnit)();
        if (Staged is not null && !ReferenceEquals(Staged, deployment))
        {
            // What is staged would become the default at the shutdown, and not what was asked for.
            DropStaged();
        }
        try
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            PrepareRootSettings settings = PrepareRootSettings.Read(root).With(KernelArguments.FromProcCommandLine());
            UnmountNextRoot();
            var next = new NextRoot(PhysicalRoot(), deployment.Path, options.RuntimeDirectory, settings);
            Variant recorded = next.Mount(Repo, deployment.Commit);
            using LinuxDirectory runtime = OpenRuntime();
            Changes.ReplaceFile(runtime, NextRootFile, recorded.Data.Span, sync: false);
        }
        catch (Exception e) when (e is LinuxException or SysrootException or RepositoryException)
        {
            UnmountNextRoot();
            throw new SysrootException(doing, e);
        }
        Touch();
        Reload();
    }

    /// <summary>Takes a prepared soft reboot back. Nothing happens if none is prepared.</summary>
    public void ClearSoftReboot()
    {
        RequireWritable();
        if (!deployments.Exists(d => d.IsSoftRebootTarget))
        {
            return;
        }
        UnmountNextRoot();
        Touch();
        Reload();
    }

    private void UnmountNextRoot()
    {
        try
        {
            string next = RuntimePath("nextroot");
            // The innermost first, each as often as it is mounted upon.
            foreach (MountInfo mount in Mounts.ReadMountInfo().Where(m => m.MountPoint == next || m.MountPoint.StartsWith(next + "/", StringComparison.Ordinal)).Reverse())
            {
                FaultPoint.Before($"unmount {mount.MountPoint}");
                Mounts.Unmount(mount.MountPoint, detach: true);
            }
            using LinuxDirectory runtime = OpenRuntime();
            Changes.TryUnlink(runtime, NextRootFile);
        }
        catch (LinuxException e)
        {
            throw Wrap("Clearing the soft reboot", e);
        }
    }

    /// <summary>Where the file system with the deployments is mounted: a running system sees it through its own <c>/ostree</c>, a link.</summary>
    private string PhysicalRoot() => Directory.Exists(Join(Path, "sysroot/ostree")) ? Join(Path, "sysroot") : Path.TrimEnd('/');

    /// <summary>Loads a deployment's kernel to be started by kexec.</summary>
    public void LoadKexec(Deployment deployment)
    {
        try
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            using KernelLayout layout = KernelLayout.Find(root, !debug.NoDeviceTrees);
            using SafeFileHandle kernel = layout.Directory.OpenFile(layout.Kernel.Source, OpenFlags.ReadOnly);
            using SafeFileHandle? initramfs = layout.Initramfs is { } file ? layout.Directory.OpenFile(file.Source, OpenFlags.ReadOnly) : null;
            FaultPoint.Before("load into kexec");
            Kexec.Load(kernel, initramfs, deployment.BootEntry.Options ?? "");
        }
        catch (LinuxException e)
        {
            throw Wrap("Loading kernel into kexec", e);
        }
    }
}
