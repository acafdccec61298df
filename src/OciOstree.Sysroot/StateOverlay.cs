using System.Text;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// A directory of <c>/usr</c> (such as <c>/opt</c>'s) that programs write to, kept over upgrades: an overlay with its upper layer in
/// <c>/var/ostree/state-overlays/NAME</c>. When the deployment under it is another than the last time, whatever in the upper layer hides something of the tree's
/// is dropped, so that upgrades win over old changes while files that only the upper layer has stay.
/// </summary>
public static class StateOverlay
{
    /// <summary>Where the layers are, below the root.</summary>
    private const string Layers = "var/ostree/state-overlays";
    private const string DeploymentAttribute = "user.ostree.deploymentcsum";
    private const string OpaqueAttribute = "trusted.overlay.opaque";
    private const uint PrivateMode = 0x1C0 /* 0700 */;

    /// <summary>Prepares the layers and mounts.</summary>
    /// <param name="sysroot">The booted one.</param>
    /// <param name="name">Names the overlay: a file name.</param>
    /// <param name="mountPath">The directory to make writable.</param>
    public static void Mount(Sysroot sysroot, string name, string mountPath)
    {
        Deployment booted = sysroot.Booted ?? throw new SysrootException("Must be booted into an OSTree deployment");
        if (name.Length == 0 || name is "." or ".." || name.Contains('/'))
        {
            throw new SysrootException($"Invalid overlay name '{name}'");
        }
        try
        {
            using LinuxDirectory root = LinuxDirectory.Open(sysroot.RunningRoot);
            string path = $"{Layers}/{name}";
            root.MakePath($"{path}/upper", PrivateMode);
            root.MakePath($"{path}/work", PrivateMode);
            using LinuxDirectory upper = root.OpenDirectory($"{path}/upper");
            byte[] current = Encoding.ASCII.GetBytes(booted.Commit.ToString());
            if (!current.AsSpan().SequenceEqual(Xattrs.Get(upper.Handle, DeploymentAttribute)))
            {
                using LinuxDirectory lower = LinuxDirectory.Open(mountPath);
                try
                {
                    Prune(lower, upper);
                }
                catch (LinuxException e)
                {
                    throw new SysrootException($"Pruning upperdir for {name}", e);
                }
                Xattrs.Set(upper.Handle, DeploymentAttribute, current);
            }
            string layers = System.IO.Path.Combine(sysroot.RunningRoot, path);
            Mounts.Mount("overlay", mountPath, "overlay", MountFlags.Silent, $"lowerdir={mountPath},upperdir={layers}/upper,workdir={layers}/work");
        }
        catch (LinuxException e)
        {
            throw new SysrootException($"Assembling the state overlay {name}", e);
        }
    }

    /// <summary>Drops from the upper layer what hides something of the lower one: files, whiteouts, opaque directories.</summary>
    internal static void Prune(LinuxDirectory lower, LinuxDirectory upper)
    {
        foreach (DirectoryEntry entry in upper.ReadEntries())
        {
            if (lower.TryStatus(entry.Name) is not { } shadowed)
            {
                continue;
            }
            bool merged = upper.Status(entry.Name).IsDirectory && shadowed.IsDirectory
                && !"y"u8.SequenceEqual(Xattrs.Get(upper, entry.Name, OpaqueAttribute));
            if (merged)
            {
                using LinuxDirectory lowerChild = lower.OpenDirectory(entry.Name);
                using LinuxDirectory upperChild = upper.OpenDirectory(entry.Name);
                Prune(lowerChild, upperChild);
            }
            else
            {
                Changes.RemoveTree(upper, entry.Name);
            }
        }
    }
}
