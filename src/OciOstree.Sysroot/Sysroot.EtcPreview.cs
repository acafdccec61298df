using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>What the administrator did to a deployment's <c>/etc</c>.</summary>
    public EtcDiff CompareEtc(Deployment deployment)
    {
        try
        {
            using LinuxDirectory root = OpenDeployment(deployment);
            using LinuxDirectory? defaults = root.TryOpenDirectory("usr/etc");
            using LinuxDirectory? current = root.TryOpenDirectory("etc");
            return defaults is null || current is null ? new EtcDiff() : EtcMerge.Compare(defaults, current);
        }
        catch (LinuxException e)
        {
            throw Wrap("Comparing /etc", e);
        }
    }

    /// <summary>
    /// What the merge of a deployment's <c>/etc</c> into a commit will do. The commit's defaults are looked at in a copy in <paramref name="scratch"/>, so that nothing of the sysroot changes.
    /// </summary>
    /// <param name="merge">Whose <c>/etc</c>.</param>
    /// <param name="commit">In the repository, deployed or not.</param>
    /// <param name="scratch">A directory for the copy, which is removed again.</param>
    public EtcMergePlan PreviewEtcMerge(Deployment merge, Checksum commit, string scratch)
    {
        const string copy = "etc";
        try
        {
            using LinuxDirectory root = OpenDeployment(merge);
            using LinuxDirectory parent = LinuxDirectory.Open(scratch);
            parent.TryMakeDirectory("none", PrivateDirectoryMode);
            using LinuxDirectory defaults = root.TryOpenDirectory("usr/etc") ?? parent.OpenDirectory("none");
            using LinuxDirectory current = root.TryOpenDirectory("etc") ?? parent.OpenDirectory("none");
            MutableTree tree = MutableTree.FromCommit(Repo, commit);
            // A tree that was committed with a live system's layout has its defaults there.
            string? source = tree.TryGetDirectory("usr")?.TryGetDirectory("etc") is not null ? "/usr/etc" : tree.TryGetDirectory("etc") is not null ? "/etc" : null;
            if (source is not null)
            {
                Checkout.Run(Repo, commit, parent, copy, new CheckoutOptions { ForceCopy = true, Subpath = source });
            }
            using LinuxDirectory theirs = parent.OpenDirectory(source is null ? "none" : copy);
            return EtcMergePlan.Make(defaults, current, theirs);
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw Wrap($"Looking at the merge of /etc into {commit}", e);
        }
    }
}
