using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

public sealed partial class Sysroot
{
    /// <summary>The composefs image in a deployment's root: <c>ostree-prepare-root</c> mounts it if its configuration says so.</summary>
    private const string ComposefsImage = ".ostree.cfs";

    /// <summary>
    /// Writes the image of a tree. Every deployment has one, as with ostree: whether it is mounted is decided at boot, where also a kernel argument may ask for it.
    /// </summary>
    private void WriteComposefsImage(LinuxDirectory root, Checksum commit)
    {
        try
        {
            PrepareRootSettings settings = PrepareRootSettings.Read(root);
            FaultPoint.Before("write the composefs image");
            // Without a demand for verity the image names the digests that the file system happens to know.
            Composefs.Write(Repo, commit, root, ComposefsImage, settings.RequiresVerity ? ComposefsVerity.All : ComposefsVerity.Protected);
            if (settings.RequiresVerity)
            {
                ProtectForVerity(root, commit, isToBoot: IsBooted);
            }
        }
        catch (Exception e) when (e is RepositoryException or LinuxException or SysrootException)
        {
            throw new SysrootException("Checking out deployment tree", e);
        }
    }

    /// <summary>
    /// With such a root the kernel gives out no file that fs-verity does not protect. Where it cannot be had, a running system is not made to boot that way; what is
    /// installed from elsewhere may yet get it.
    /// </summary>
    private void ProtectForVerity(LinuxDirectory root, Checksum commit, bool isToBoot)
    {
        FaultPoint.Before("enable fs-verity");
        if (Repo.TryProtect(root, ComposefsImage) && Repo.TryProtect(commit))
        {
            return;
        }
        const string what = "usr/lib/ostree/prepare-root.conf demands fs-verity (composefs.enabled), which the file system of the repository or this kernel cannot";
        if (isToBoot)
        {
            throw new SysrootException($"{what} (`tune2fs -O verity` lets ext4)");
        }
        Warn($"{what}: before it boots, `ostree admin post-copy` must run where they can");
    }
}
