using OciOstree.Linux;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>Writes a new origin for a deployment at once.</summary>
    public void WriteOrigin(Deployment deployment, Origin origin)
    {
        RequireWritable();
        try
        {
            deployment.Origin = origin;
            WriteOrigin(deployment, sync: true);
            Touch();
        }
        catch (LinuxException e)
        {
            throw Wrap("Writing out origin file", e);
        }
    }

    /// <summary>Keeps a deployment whatever comes, or no longer does. False when it was so already.</summary>
    public bool SetPinned(Deployment deployment, bool pinned)
    {
        if (deployment.IsPinned == pinned)
        {
            return false;
        }
        if (deployment.IsStaged)
        {
            throw new SysrootException("Cannot pin staged deployment");
        }
        Origin origin = deployment.Origin?.Clone() ?? new Origin();
        origin.Pinned = pinned;
        WriteOrigin(deployment, origin);
        return true;
    }

    /// <summary>The deployment at a place in the boot order.</summary>
    public Deployment DeploymentAt(int index)
    {
        if (index < 0)
        {
            throw new SysrootException($"Invalid index {index}");
        }
        return index < deployments.Count
            ? deployments[index]
            : throw new SysrootException($"Out of range deployment index {index}, expected < {deployments.Count}");
    }

    /// <summary>Takes a deployment out of the boot order and off the disk. Returns what it was.</summary>
    public Deployment Undeploy(int index)
    {
        Deployment target = DeploymentAt(index);
        if (target.IsSame(Booted))
        {
            throw new SysrootException($"Cannot undeploy currently booted deployment {index}");
        }
        WriteDeployments([.. deployments.Where(d => !ReferenceEquals(d, target))]);
        return target;
    }

    /// <summary>Makes a deployment the first in the boot order.</summary>
    public void SetDefault(int index)
    {
        Deployment target = DeploymentAt(index);
        WriteDeployments([target, .. deployments.Where(d => !ReferenceEquals(d, target))]);
    }

    /// <summary>What <see cref="Rollback"/> would make the next to boot; null if there is nothing to go back to.</summary>
    public Deployment? RollbackTarget
    {
        get
        {
            string? stateroot = (Booted ?? deployments.FirstOrDefault())?.Stateroot;
            List<Deployment> own = [.. deployments.Where(d => d.Stateroot == stateroot && !d.IsStaged)];
            return Booted is not null && own.Count > 0 && !own[0].IsSame(Booted)
                ? own.Find(d => d.IsSame(Booted))
                : own.Skip(1).FirstOrDefault();
        }
    }

    /// <summary>
    /// Swaps what boots next with what booted before: makes the rollback deployment the default, or the booted one where another is waiting already.
    /// Returns the one that will boot.
    /// </summary>
    public Deployment Rollback()
    {
        if (deployments.Count == 0)
        {
            throw new SysrootException("There are no deployments");
        }
        Deployment target = RollbackTarget ?? throw new SysrootException("There is no deployment to roll back to");
        WriteDeployments([target, .. deployments.Where(d => !ReferenceEquals(d, target))]);
        return deployments.First(d => d.IsSame(target));
    }

    /// <summary>Gives a deployment another kernel command line (without <c>ostree=</c>, which is kept) by rewriting the boot entries.</summary>
    public void SetKernelArguments(Deployment deployment, IReadOnlyList<string> arguments)
    {
        if (deployment.IsStaged)
        {
            throw new SysrootException("Cannot change the kernel arguments of a staged deployment this way");
        }
        Deployment changed = deployment.Clone();
        changed.BootEntry.Options = KernelArguments.From(arguments).ToString();
        WriteDeployments([.. deployments.Select(d => ReferenceEquals(d, deployment) ? changed : d)]);
    }

    /// <summary>
    /// Gives the next boot other kernel arguments. What runs keeps its own: a new deployment of the same commit gets them, so that a rollback leads back to arguments
    /// that are known to boot. A deployment that only waits is changed where it is.
    /// </summary>
    /// <param name="deployment">What to go on from.</param>
    /// <param name="arguments">All of them; <c>ostree=</c> is set by this.</param>
    /// <param name="lockFinalization">A new staged deployment waits until it is unlocked.</param>
    public void ChangeKernelArguments(Deployment deployment, KernelArguments arguments, bool lockFinalization = false)
    {
        if (deployment.IsStaged)
        {
            SetKernelArgumentsInPlace(deployment, arguments);
            if (lockFinalization)
            {
                SetFinalizationLocked(true);
            }
            return;
        }
        if (!deployment.IsSame(Booted))
        {
            SetKernelArguments(deployment, arguments.ToList());
            return;
        }
        var request = new DeployRequest
        {
            Stateroot = deployment.Stateroot,
            Commit = deployment.Commit,
            Origin = deployment.Origin?.WithoutTransientState(),
            Merge = deployment,
            KernelArguments = arguments.ToList(),
            OverlayInitrds = deployment.OverlayInitrds,
            LockFinalization = lockFinalization,
        };
        if (CanStage)
        {
            Stage(request);
            return;
        }
        Deployment deployed = Deploy(request);
        AddDeployment(deployed, deployment);
    }

    // Origins are labelled as what they are like: the configuration of remotes.
    private void WriteOrigin(Deployment deployment, bool sync, DeploymentLabels? labels = null)
    {
        if (deployment.Origin is { } origin)
        {
            string path = deployment.OriginPath["ostree/".Length..];
            Xattr? label = labels is not null ? labels.Of("/etc/ostree/remotes.d/dummy.conf", ModeBits.RegularFile | 0x1A4)
                : OstreeDirectory.TryStatus(path) is not null && Xattrs.Get(OstreeDirectory, path, "security.selinux"u8) is { } before ? new Xattr([.. "security.selinux"u8], before)
                : null;
            Changes.ReplaceFile(OstreeDirectory, path, origin.Serialize(), sync, label);
        }
    }
}
