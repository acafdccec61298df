using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// The root that systemd's soft reboot changes to, mounted as <c>ostree-prepare-root</c> mounts one in the initramfs, which a soft reboot does not go through: the composefs image,
/// <c>/boot</c>, a writable <c>/etc</c> and a read-only <c>/sysroot</c>. <c>/var</c> is systemd's to mount.
/// </summary>
/// <param name="physicalRoot">The file system with <c>ostree/</c>, <c>/sysroot</c> on a running system.</param>
/// <param name="deployment">The deployment's path below it.</param>
/// <param name="runtimeDirectory"><c>/run</c>.</param>
/// <param name="settings">The deployment's, and the kernel's command line's.</param>
internal sealed class NextRoot(string physicalRoot, string deployment, string runtimeDirectory, PrepareRootSettings settings)
{
    private const string Image = ".ostree.cfs";

    /// <summary>Where the new root is mounted.</summary>
    private string Target => $"{runtimeDirectory}/nextroot";

    private string DeploymentPath => $"{physicalRoot}/{deployment}";

    /// <summary>Mounts everything; after an error some of it may be mounted.</summary>
    /// <returns>What the new system finds recorded of its root: an <c>a{sv}</c>.</returns>
    public Variant Mount(Repo repo, Checksum commit)
    {
        if (settings.Composefs != Tristate.Yes)
        {
            throw new SysrootException("soft reboot not supported without composefs");
        }
        using LinuxDirectory root = LinuxDirectory.Open(DeploymentPath);
        FileStatus status = root.Status();
        var recorded = new List<KeyValuePair<string, Variant>>
        {
            new("backing-root-device-inode", Variant.Tuple(Variant.UInt64(status.Device), Variant.UInt64(status.Inode))),
            new("root.transient", Variant.Boolean(settings.HasTransientRoot)),
            new("root.transient-ro", Variant.Boolean(settings.IsTransientRootReadOnly)),
        };
        using (LinuxDirectory runtime = LinuxDirectory.Open(runtimeDirectory))
        {
            Changes.MakePath(runtime, "nextroot", 0x1ED /* 0755 */);
            Changes.MakePath(runtime, "ostree/.private/cfsroot-lower", 0x1C0 /* 0700 */);
        }

        // The layers are taken from a mount of their own, which goes again: systemd shall be able to unmount /sysroot while the new root is there.
        FaultPoint.Before("mount the next root");
        Mounts.Bind(physicalRoot, physicalRoot);
        try
        {
            MountImage(root, repo, commit, recorded);
        }
        finally
        {
            Mounts.Unmount(physicalRoot, detach: true);
        }
        if (Files.TryStatus($"{physicalRoot}/boot/loader", followLinks: false) is { IsSymbolicLink: true } && Files.TryStatus($"{Target}/boot", followLinks: false) is { IsDirectory: true })
        {
            Mounts.Bind($"{physicalRoot}/boot", $"{Target}/boot");
        }
        MountEtc(recorded);
        Mounts.Bind(physicalRoot, $"{Target}/sysroot", readOnly: true);
        recorded.Add(new("sysroot-ro", Variant.Boolean(true)));
        return Variant.Dictionary(recorded);
    }

    private void MountImage(LinuxDirectory root, Repo repo, Checksum commit, List<KeyValuePair<string, Variant>> recorded)
    {
        using SafeFileHandle image = root.TryOpenFile(Image) ?? throw new SysrootException("composefs: failed to mount: No such file or directory");
        if (settings.IsSigned)
        {
            Checksum expected = ReadSignedDigest(repo, commit);
            byte[] measured = FsVerity.TryMeasure(image) ?? throw new SysrootException("composefs: failed to mount: fsverity not enabled on composefs image");
            if (expected != Checksum.FromBytes(measured))
            {
                throw new SysrootException("composefs: failed to mount: Wrong fsverity digest in composefs image");
            }
            recorded.Add(new("composefs.signed", Variant.String(settings.KeyPath)));
        }
        string lower = $"{runtimeDirectory}/ostree/.private/cfsroot-lower";
        // By its descriptor: what was measured is what is mounted.
        MountErofs($"/proc/self/fd/{image.DangerousGetHandle()}", $"{DeploymentPath}/{Image}", lower);
        try
        {
            string layers = settings.HasTransientRoot ? MakeTransientLayers() : "";
            string verity = settings.RequiresVerity ? ",verity=require" : "";
            MountFlags flags = settings.HasTransientRoot && !settings.IsTransientRootReadOnly ? MountFlags.None : MountFlags.ReadOnly;
            MountOverlay(separator => $"metacopy=on,redirect_dir=on,lowerdir={lower}{separator}{physicalRoot}/ostree/repo/objects{layers}{verity}", flags);
        }
        finally
        {
            Mounts.Unmount(lower, detach: true);
        }
        recorded.Add(new("composefs", Variant.Boolean(true)));
        recorded.Add(new("composefs.verity", Variant.Boolean(settings.RequiresVerity)));
    }

    /// <summary>The image that a commit names which somebody has signed: this one, or, as images with further layers are committed here, the one that it is based on.</summary>
    private Checksum ReadSignedDigest(Repo repo, Checksum commit)
    {
        try
        {
            Commit content = repo.ReadCommit(commit);
            if (repo.ReadCommitMeta(commit) is null && content.Metadata.Lookup("ostree.container.image-config") is not null && content.Parent is { } parent)
            {
                (commit, content) = (parent, repo.ReadCommit(parent));
            }
            CommitSignatures.Verify(repo, commit, new Verifier(SignatureType.Ed25519).AddFile(settings.KeyPath));
            return Composefs.ReadDigest(content) ?? throw new SysrootException("Signature validation requested, but no valid digest in commit");
        }
        catch (RepositoryException e)
        {
            throw new SysrootException("Checking commit signature", e);
        }
    }

    /// <summary>Kernels before 6.12 mount an image by a loop device only.</summary>
    private static void MountErofs(string file, string path, string target)
    {
        try
        {
            Mounts.Mount(file, target, "erofs", MountFlags.ReadOnly);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOTBLK or Errno.EINVAL)
        {
            RequiredProgram.Run("mount", ["-t", "erofs", "-o", "ro,loop", path, target]);
        }
    }

    /// <summary>Kernels before 6.5 know no layers that hold data only, which two colons announce.</summary>
    private void MountOverlay(Func<string, string> options, MountFlags flags)
    {
        try
        {
            Mounts.Mount("composefs", Target, "overlay", flags, options("::"));
        }
        catch (LinuxException e) when (e.Errno == Errno.EINVAL)
        {
            Mounts.Mount("composefs", Target, "overlay", flags, options(":"));
        }
    }

    private string MakeTransientLayers()
    {
        // Named as at boot, in /run, which both systems share: the running one's own must stay as it is.
        string layer = MakeScratch("root");
        return $",upperdir={layer}/upper,workdir={layer}/work";
    }

    private void MountEtc(List<KeyValuePair<string, Variant>> recorded)
    {
        string etc = $"{Target}/etc";
        if (settings.HasTransientEtc)
        {
            string layer = MakeScratch("transient-etc");
            recorded.Add(new("transient-etc", Variant.String(layer)));
            Mounts.Mount("overlay", etc, "overlay", MountFlags.Silent, $"lowerdir={Target}/usr/etc,upperdir={layer}/upper,workdir={layer}/work");
        }
        else
        {
            Mounts.Bind($"{DeploymentPath}/etc", etc);
            Mounts.RemountBind(etc, readOnly: false);
        }
    }

    private string MakeScratch(string name)
    {
        using LinuxDirectory ostree = LinuxDirectory.Open($"{runtimeDirectory}/ostree");
        using LinuxDirectory made = ostree.MakeUniqueDirectory(name + ".", 0x1C0 /* 0700 */, out string unique);
        made.MakeDirectory("upper", 0x1ED /* 0755 */);
        made.MakeDirectory("work", 0x1ED /* 0755 */);
        return $"{runtimeDirectory}/ostree/{unique}";
    }
}
