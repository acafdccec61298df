using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private const string HotfixUpper = ".usr-ovl-upper";
    private const string HotfixWork = ".usr-ovl-work";

    /// <summary>
    /// Lays a writable overlay over the booted deployment's <c>/usr</c>. A hotfix lives in the deployment, where <c>ostree-prepare-root</c> finds it at the next boots,
    /// and leaves a clone without it to go back to; the others end with the running system. There is no way back but a reboot.
    /// </summary>
    /// <exception cref="SysrootException">The system is not booted from here, or unlocked already.</exception>
    public void Unlock(UnlockedState state)
    {
        RequireWritable();
        Deployment booted = Booted ?? throw new SysrootException("Not currently booted into an OSTree system");
        if (booted.Unlocked != UnlockedState.None)
        {
            throw new SysrootException($"Deployment is already in unlocked state: {booted.Unlocked.ToString().ToLowerInvariant()}");
        }
        try
        {
            if (state == UnlockedState.Hotfix)
            {
                booted = CloneAsRollback(booted);
            }
            using LinuxDirectory root = OpenDeployment(booted);
            FaultPoint.Before("clear immutable");
            Files.TrySetImmutable(root.Handle, false);
            if (state == UnlockedState.Hotfix)
            {
                MakeLayer(root, HotfixUpper, root);
                MakeLayer(root, HotfixWork, root);
                MountOverUsr(root, HotfixUpper, HotfixWork, MountFlags.None);
                Origin origin = booted.Origin?.Clone() ?? new Origin();
                origin.Unlocked = "hotfix";
                WriteOrigin(booted, origin);
            }
            else
            {
                MountTransient(root, booted, readOnly: state == UnlockedState.Transient);
                using LinuxDirectory runtime = OpenRuntime();
                string directory = $"ostree/deployment-state/{booted.Name}";
                Changes.MakePath(runtime, directory, DirectoryMode);
                Changes.ReplaceFile(runtime, $"{directory}/unlocked-{state.ToString().ToLowerInvariant()}", [], sync: false);
            }
            Touch();
            Reload();
        }
        catch (LinuxException e)
        {
            throw Wrap("Unlocking the booted deployment", e);
        }
    }

    /// <summary>The same commit once more, behind the booted one: where a rollback from the hotfix goes.</summary>
    private Deployment CloneAsRollback(Deployment booted)
    {
        Cleanup(prune: false);
        Deployment clone = Deploy(new DeployRequest
        {
            Stateroot = booted.Stateroot,
            Commit = booted.Commit,
            Origin = booted.Origin?.Clone(),
            Merge = booted,
            KernelArguments = booted.KernelArguments.ToList(),
            OverlayInitrds = booted.OverlayInitrds,
        });
        AddDeployment(clone, booted, Retention.NotAsDefault);
        return Booted ?? throw new SysrootException("The booted deployment cannot be found again");
    }

    /// <summary>Beside the deployment, on its file system: what is installed into the overlay may be large, and /var/tmp a small disk.</summary>
    private void MountTransient(LinuxDirectory root, Deployment booted, bool readOnly)
    {
        string path = $"{booted.BackingPath["ostree/".Length..]}/usr-transient";
        // Left by a boot before: it was never meant to last.
        Changes.RemoveTree(OstreeDirectory, path);
        Changes.MakePath(OstreeDirectory, path, DirectoryMode);
        using LinuxDirectory overlay = OstreeDirectory.OpenDirectory(path);
        MakeLayer(overlay, "upper", root);
        MakeLayer(overlay, "work", root);
        string descriptor = $"/proc/self/fd/{overlay.Handle.DangerousGetHandle()}";
        MountOverUsr(root, $"{descriptor}/upper", $"{descriptor}/work", readOnly ? MountFlags.ReadOnly : MountFlags.None);
    }

    /// <summary>A directory with the mode and label of the <c>/usr</c> that it will stand for.</summary>
    private static void MakeLayer(LinuxDirectory parent, string name, LinuxDirectory root)
    {
        FaultPoint.Before($"mkdir {name}");
        parent.TryMakeDirectory(name, PrivateDirectoryMode);
        parent.SetMode(name, root.Status("usr").Permissions);
        const string label = "security.selinux";
        if (Xattrs.Get(root, "usr", label) is { } context)
        {
            using LinuxDirectory made = parent.OpenDirectory(name);
            Xattrs.Set(made.Handle, label, context, made.Path);
        }
    }

    private void MountOverUsr(LinuxDirectory root, string upper, string work, MountFlags flags)
    {
        FaultPoint.Before("mount the overlay");
        Mounts.MountFrom(root, "overlay", Join(options.RunningRoot, "usr"), "overlay", flags, $"lowerdir=usr,upperdir={upper},workdir={work}");
    }
}
