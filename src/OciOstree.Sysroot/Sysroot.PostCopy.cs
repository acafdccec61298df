using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>
    /// Gives back what a copy of the sysroot by files has lost: fs-verity on objects and composefs images, where the repository's
    /// <c>[ex-integrity]</c> asks for it, and of those deployments that could not boot without. Does nothing where the file system cannot and need not.
    /// </summary>
    public void UpdateAfterCopy(CancellationToken cancellation = default)
    {
        RequireWritable();
        try
        {
            if (Repo.Settings.FsVerity != Tristate.No)
            {
                ProtectAll(cancellation);
            }
            foreach (Deployment deployment in ListDirectories())
            {
                cancellation.ThrowIfCancellationRequested();
                using LinuxDirectory root = OpenDeployment(deployment);
                if (root.Exists(ComposefsImage) && PrepareRootSettings.Read(root).RequiresVerity)
                {
                    ProtectForVerity(root, deployment.Commit, isToBoot: false);
                }
            }
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw Wrap("Enabling fs-verity", e);
        }
    }

    private void ProtectAll(CancellationToken cancellation)
    {
        foreach (ObjectName name in Repo.ListObjects())
        {
            cancellation.ThrowIfCancellationRequested();
            FaultPoint.Before($"enable fs-verity on {name}");
            if (!Repo.Protect(name))
            {
                return;
            }
        }
        foreach (Deployment deployment in ListDirectories())
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            FaultPoint.Before($"enable fs-verity on {deployment.Name}/{ComposefsImage}");
            Repo.Protect(root, ComposefsImage);
        }
    }
}
