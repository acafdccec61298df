using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>The deployment whose <c>/etc</c> and kernel arguments a new one of the stateroot continues: the booted one, else the first that is pending.</summary>
    public Deployment? MergeDeployment(string stateroot) =>
        Booted?.Stateroot == stateroot ? Booted : QueryDeployments(stateroot).Pending;

    /// <summary>The first deployment of the stateroot before the booted one in boot order, and the first after it.</summary>
    public (Deployment? Pending, Deployment? Rollback) QueryDeployments(string stateroot)
    {
        Deployment? pending = null;
        Deployment? rollback = null;
        bool passedBooted = false;
        foreach (Deployment deployment in deployments.Where(d => d.Stateroot == stateroot))
        {
            if (deployment.IsSame(Booted))
            {
                passedBooted = true;
            }
            else if (passedBooted)
            {
                rollback ??= deployment;
            }
            else
            {
                pending ??= deployment;
            }
        }
        return (pending, rollback);
    }

    /// <summary>
    /// Checks a commit out as a new deployment and gives it its <c>/etc</c> and origin. Nothing leads to it yet: <see cref="AddDeployment"/> or
    /// <see cref="WriteDeployments"/> puts it into the boot order. When this fails nothing is left of it.
    /// </summary>
    public Deployment Deploy(DeployRequest request)
    {
        Deployment? deployment = null;
        try
        {
            RequireWritable();
            deployment = CheckOut(request);
            FinalizeDeployment(deployment, request.Merge, request.Labels);
            return deployment;
        }
        catch (Exception e)
        {
            if (deployment is not null)
            {
                Abandon(deployment);
            }
            throw Wrap($"Deploying {request.Commit}", e);
        }
    }

    private Deployment CheckOut(DeployRequest request)
    {
        string stateroot = request.Stateroot;
        RequireStaterootName(stateroot);
        if (OstreeDirectory.TryStatus($"deploy/{stateroot}") is null)
        {
            throw new SysrootException($"No such stateroot: {stateroot}");
        }
        Changes.MakePath(OstreeDirectory, $"deploy/{stateroot}/backing", PrivateDirectoryMode);
        Changes.MakePath(OstreeDirectory, $"deploy/{stateroot}/deploy", DirectoryMode);

        int serial = ListDirectories(stateroot).Where(d => d.Commit == request.Commit).Select(d => d.Serial + 1).DefaultIfEmpty(0).Max();
        var deployment = new Deployment(stateroot, request.Commit, serial, "", -1)
        {
            Index = 0,
            Origin = request.Origin,
            OverlayInitrds = request.OverlayInitrds,
        };
        try
        {
            using (LinuxDirectory parent = OstreeDirectory.OpenDirectory($"deploy/{stateroot}/deploy"))
            {
                FaultPoint.Before($"checkout {deployment.Name}");
                Checkout.Run(Repo, request.Commit, parent, deployment.Name, new CheckoutOptions { PassthroughWhiteouts = true });
            }
            using LinuxDirectory root = OpenDeployment(deployment);
            FileStatus status = root.Status();
            deployment.Device = status.Device;
            deployment.Inode = status.Inode;
            WriteComposefsImage(root, request.Commit);
            using (KernelLayout kernel = KernelLayout.Find(root, !debug.NoDeviceTrees))
            {
                deployment.BootChecksum = kernel.BootChecksum;
            }
            if (request.KernelArguments is { } arguments)
            {
                deployment.BootEntry.Options = KernelArguments.From(arguments).ToString();
            }
            PrepareEtc(root, deployment, request.Labels);
            PrepareVar(root, deployment);
            return deployment;
        }
        catch
        {
            Abandon(deployment);
            throw;
        }
    }

    /// <summary>Gives a deployment a private copy of its tree's <c>/usr/etc</c> as <c>/etc</c>.</summary>
    private void PrepareEtc(LinuxDirectory root, Deployment deployment, bool label)
    {
        bool hasDefaults = root.TryStatus("usr/etc") is not null;
        string source = "/usr/etc";
        using (LinuxDirectory? etc = root.TryOpenDirectory("etc"))
        {
            bool populated = etc is not null && etc.ReadEntries().Count > 0;
            if (populated && hasDefaults)
            {
                throw new SysrootException("Tree contains both /etc and /usr/etc");
            }
            if (populated)
            {
                // A tree that was committed with a live system's layout.
                FaultPoint.Before("rename etc to usr/etc");
                root.Rename("etc", root, "usr/etc");
                hasDefaults = true;
                source = "/etc";
            }
            else if (etc is not null && hasDefaults)
            {
                Changes.RemoveDirectory(root, "etc");
            }
        }
        if (hasDefaults)
        {
            FaultPoint.Before("checkout etc");
            using DeploymentLabels labels = OpenLabels(root, required: true, label);
            Checkout.Run(Repo, deployment.Commit, root, "etc", new CheckoutOptions { ForceCopy = true, Subpath = source, Labeler = labels.Labeler, LabelPrefix = "/etc" });
        }
    }

    /// <summary>
    /// The first deployment's <c>/var</c> is what a stateroot's begins with, as a container's volume begins with its image's directory. Later ones change nothing there.
    /// </summary>
    private void PrepareVar(LinuxDirectory root, Deployment deployment)
    {
        if (root.TryStatus("var") is null)
        {
            return;
        }
        using LinuxDirectory stateroot = OstreeDirectory.OpenDirectory($"deploy/{deployment.Stateroot}");
        using (LinuxDirectory var = stateroot.OpenDirectory("var", followLinks: true))
        {
            if (var.ReadEntries().Count > 0)
            {
                return;
            }
        }

        // Made aside and moved over the empty one: a copy cut short would never be completed, as the next deployment would find content there.
        const string temporary = ".var.new";
        Changes.RemoveTree(stateroot, temporary);
        FaultPoint.Before("checkout var");
        Checkout.Run(Repo, deployment.Commit, stateroot, temporary, new CheckoutOptions { ForceCopy = true, Subpath = "/var" });
        using (LinuxDirectory made = stateroot.OpenDirectory(temporary))
        {
            if (root.TryStatus("usr/lib/tmpfiles.d") is null)
            {
                MakeClassicVar(made);
            }
            if (made.ReadEntries().Count == 0)
            {
                Changes.RemoveTree(stateroot, temporary);
                return;
            }
        }
        Changes.Rename(stateroot, temporary, "var");
    }

    /// <summary>The second half of a deployment, which for a staged one happens at shutdown: the merge of <c>/etc</c> with what the administrator has done by then.</summary>
    private void FinalizeDeployment(Deployment deployment, Deployment? merge, bool label = true)
    {
        EtcDiff? carriedOver = null;
        using LinuxDirectory root = OpenDeployment(deployment);
        if (merge is not null)
        {
            deployment.BootEntry.Options ??= merge.BootEntry.Options;
            carriedOver = MergeEtc(merge, root);
            RefreshPolicy(root, deployment);
        }

        // systemd's ConditionNeedsUpdate= shall hold on the first boot.
        Changes.TryUnlink(root, "etc/.updated");
        string varPath = Booted?.Stateroot == deployment.Stateroot ? Join(options.RunningRoot, "var") : Join(Path, $"ostree/deploy/{deployment.Stateroot}/var");
        using (LinuxDirectory? var = LinuxDirectory.TryOpen(varPath))
        {
            if (var is not null)
            {
                Changes.TryUnlink(var, ".updated");
            }
        }
        // The policy is now the one that the administrator has made of it. Whether it can be applied was asked when the tree was checked out.
        using DeploymentLabels labels = OpenLabels(root, required: false, label);
        if (carriedOver is not null)
        {
            LabelCarriedOver(root, carriedOver, labels);
        }
        LabelVar(deployment, labels);
        MakeBacking(root, deployment, labels);
        WriteOrigin(deployment, sync: false, labels);
        if (!debug.MutableDeployments)
        {
            FaultPoint.Before("set immutable");
            Files.TrySetImmutable(root.Handle, true);
        }
    }

    private EtcDiff? MergeEtc(Deployment merge, LinuxDirectory newRoot)
    {
        using LinuxDirectory oldRoot = OpenDeployment(merge);
        using LinuxDirectory? baseEtc = oldRoot.TryOpenDirectory("usr/etc");
        using LinuxDirectory? ourEtc = oldRoot.TryOpenDirectory("etc");
        using LinuxDirectory? newEtc = newRoot.TryOpenDirectory("etc");
        if (baseEtc is null || ourEtc is null || newEtc is null)
        {
            // Trees without /etc have nothing to carry over, except when the machine has and the new tree could not take it.
            if (ourEtc is not null && ourEtc.ReadEntries().Count > 0)
            {
                throw new SysrootException($"During /etc merge: {(baseEtc is null ? "the old deployment has no usr/etc" : "the new deployment has no etc")}");
            }
            return null;
        }
        EtcDiff diff = EtcMerge.Compare(baseEtc, ourEtc, compareXattrs: !debug.NoXattrs);
        Tell(Invariant($"Copying /etc changes: {diff.Modified.Count} modified, {diff.Removed.Count} removed, {diff.Added.Count} added"));
        foreach (string path in diff.Unsupported)
        {
            Warn($"/etc/{path} is neither file, directory nor symbolic link: it stays in the old deployment");
        }
        try
        {
            EtcMerge.Apply(diff, ourEtc, newEtc, copyXattrs: !debug.NoXattrs);
        }
        catch (SysrootException e)
        {
            throw new SysrootException("During /etc merge", e);
        }
        return diff;
    }

    /// <summary>Room for what belongs to this deployment but not to its tree: the overlay of a transient root.</summary>
    private void MakeBacking(LinuxDirectory root, Deployment deployment, DeploymentLabels labels)
    {
        string overlay = $"{deployment.BackingPath["ostree/".Length..]}/root-transient";
        Changes.MakePath(OstreeDirectory, $"{overlay}/work", PrivateDirectoryMode);
        FaultPoint.Before($"mkdir {overlay}/upper");
        OstreeDirectory.TryMakeDirectory($"{overlay}/upper", root.Status().Permissions);
        labels.Set(OstreeDirectory, $"{overlay}/upper", "/");
    }

    /// <summary>Undoes a deployment that did not come to be; what cannot be undone now, the next cleanup removes.</summary>
    private void Abandon(Deployment deployment)
    {
        try
        {
            RemoveDeployment(deployment);
        }
        catch (Exception e) when (e is IOException or SysrootException)
        {
            Warn($"{deployment.Path} stays until the next cleanup: {e.Message}");
        }
    }

    private static SysrootException Wrap(string doing, Exception e) => new(doing, e);
}
