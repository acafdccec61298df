using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    private const string LabelStamp = ".ostree-selabeled";

    private bool hasWarnedOfLabels;

    /// <summary>The labels by the policy that a tree has now: in its <c>etc</c>, once there is one.</summary>
    /// <param name="required">Whether it is an error if the policy cannot be applied for want of libselinux; else it is a warning.</param>
    private DeploymentLabels OpenLabels(LinuxDirectory root, bool required, bool wanted = true)
    {
        if (debug.NoXattrs || Repo.Settings.DisableXattrs)
        {
            return DeploymentLabels.None;
        }
        try
        {
            wanted &= Repo.Settings.Selinux;
            if (FindPolicy(root, wanted) is not { } policy)
            {
                return DeploymentLabels.None;
            }
            if (wanted && FileContexts.IsAvailable)
            {
                return DeploymentLabels.By(policy.Open());
            }
            if (wanted && required)
            {
                throw new SysrootException($"{FileContexts.LibraryName} is not installed, and the tree's policy '{policy.Name}' cannot be applied without it (oci-ostree.selinux=false in the repository's config does without labels)");
            }
            if (!hasWarnedOfLabels)
            {
                hasWarnedOfLabels = true;
                Warn($"The tree's SELinux policy '{policy.Name}' is not applied: what is made for the deployment has no labels, the system must relabel itself or run permissively");
            }
            return DeploymentLabels.Withheld;
        }
        catch (Exception e) when (e is RepositoryException or SysrootException)
        {
            throw new SysrootException("Labelling by the tree's SELinux policy", e);
        }
    }

    /// <summary>As <see cref="OpenLabels"/>, for any deployment's boot files: one whose policy is broken by now must not keep the others from being written.</summary>
    private DeploymentLabels OpenBootLabels(LinuxDirectory root)
    {
        try
        {
            return OpenLabels(root, required: false);
        }
        catch (SysrootException e)
        {
            Warn($"Files in /boot get no SELinux labels: {(e.InnerException ?? e).Message}");
            return DeploymentLabels.Withheld;
        }
    }

    // Who does without labels does without a policy that is whole, too.
    private static SePolicyFiles? FindPolicy(LinuxDirectory root, bool wanted)
    {
        try
        {
            return SePolicyFiles.Find(root);
        }
        catch (RepositoryException) when (!wanted)
        {
            return null;
        }
    }

    /// <summary>
    /// Labels the stateroot's <c>/var</c> once, as ostree does, and leaves the mark by which both know. A mark that has no label itself was left by a deployment
    /// without a policy, and says nothing of labels.
    /// </summary>
    private void LabelVar(Deployment deployment, DeploymentLabels labels)
    {
        using LinuxDirectory stateroot = OstreeDirectory.OpenDirectory($"deploy/{deployment.Stateroot}");
        if (stateroot.TryStatus("var", followLinks: true) is null)
        {
            return;
        }
        using LinuxDirectory var = stateroot.OpenDirectory("var", followLinks: true);
        bool isMarked = var.TryStatus(LabelStamp) is not null;
        if (isMarked && (!labels.HasPolicy || Xattrs.Get(var, LabelStamp, "security.selinux"u8) is not null))
        {
            return;
        }
        if (labels.IsWithheld)
        {
            // The next deployment that can label shall.
            return;
        }
        Tell($"Relabeling /var (no stamp file 'var/{LabelStamp}' found)");
        try
        {
            labels.SetTree(var, "/var", new LabelScope { Except = "/var/" + LabelStamp });
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw new SysrootException("Relabeling /var", e);
        }
        Changes.ReplaceFile(var, LabelStamp, [], sync: true, labels.Of("/var/" + LabelStamp, ModeBits.RegularFile | 0x1A4));
    }

    /// <summary>Labels by a deployment's policy what an installer has put there and has no label yet. Objects that are shared with the repository stay as they are.</summary>
    /// <param name="deployment">Whose policy it is.</param>
    /// <param name="subpath">A directory to label; the deployment if null.</param>
    /// <param name="prefix">What the policy takes that directory for, an absolute path.</param>
    /// <param name="begun">Told the policy's name before the work begins.</param>
    /// <param name="told">Told of each label: the file, the path that it is labelled for, the label.</param>
    /// <returns>False if the deployment has no policy.</returns>
    public bool EnsureLabelled(Deployment deployment, string? subpath, string prefix, Action<string> begun, Action<string, string, string> told)
    {
        using LinuxDirectory root = OpenDeployment(deployment);
        try
        {
            if (SePolicy.Load(root) is not { } policy)
            {
                return false;
            }
            using var labels = DeploymentLabels.By(policy);
            begun(policy.Name);
            using LinuxDirectory directory = LinuxDirectory.Open(subpath ?? System.IO.Path.GetFullPath(PathOf(deployment)));
            // A finished deployment's own directory is immutable, to its label, too.
            bool isImmutable = directory.Status().IsImmutable && Files.TrySetImmutable(directory.Handle, false);
            try
            {
                labels.SetTree(directory, prefix, new LabelScope { OnlyUnlabelled = true, SpareShared = true, AcrossMounts = true, Told = told });
            }
            finally
            {
                if (isImmutable)
                {
                    Files.TrySetImmutable(directory.Handle, true);
                }
            }
            return true;
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw new SysrootException("Relabeling", e);
        }
    }

    /// <summary>
    /// Has the merged policy compiled anew: its modules came from the new tree, the compiled policy, where the administrator has made one, from the old <c>/etc</c>.
    /// Does nothing for a tree without a policy or without a <c>semodule</c> that can see for itself whether there is something to do.
    /// </summary>
    private void RefreshPolicy(LinuxDirectory root, Deployment deployment)
    {
        if (root.TryStatus("etc/selinux/config") is null || !DeploymentProgram.Exists(root, "semodule"))
        {
            return;
        }
        try
        {
            if (DeploymentProgram.Run(PathOf(deployment), [], "semodule", "--help").Contains("--refresh", StringComparison.Ordinal))
            {
                FaultPoint.Before("refresh the SELinux policy");
                Tell("Refreshing SELinux policy");
                DeploymentProgram.Run(PathOf(deployment), [], "semodule", "-N", "--refresh");
            }
        }
        catch (SysrootException e)
        {
            throw new SysrootException("Finalizing SELinux policy", e);
        }
    }

    /// <summary>Files that the merge of <c>/etc</c> carried over keep the labels that they had; where they had none, as on a system that comes to its first policy, they get theirs.</summary>
    private static void LabelCarriedOver(LinuxDirectory root, EtcDiff diff, DeploymentLabels labels)
    {
        if (!labels.HasPolicy)
        {
            return;
        }
        foreach (string path in diff.Modified.Concat(diff.Added))
        {
            if (root.TryStatus($"etc/{path}") is not null)
            {
                labels.Set(root, $"etc/{path}", $"/etc/{path}", onlyUnlabelled: true);
            }
        }
    }
}
