using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>The file system that an installation's root is on, and how a kernel finds it.</summary>
public sealed record RootMount(string Path, string Uuid, string Type, string Subvolume)
{
    /// <summary>What the kernel has to be told.</summary>
    public IReadOnlyList<string> KernelArguments =>
        Subvolume.Length == 0 ? [$"root=UUID={Uuid}", "rw"] : [$"root=UUID={Uuid}", $"rootflags=subvol={Subvolume}", "rw"];

    /// <summary>Of a mounted file system, or a subvolume of one.</summary>
    /// <exception cref="SysrootException">It is none that an initramfs could mount.</exception>
    public static RootMount Find(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        MountInfo mount = Mounts.Find(full) ?? throw new SysrootException($"{full} does not exist");
        if (mount.MountPoint != full)
        {
            throw new SysrootException($"{full} is not a mount point: an initramfs mounts whole file systems (or btrfs subvolumes); mount the one to install into there");
        }
        string inside = mount.Root.Trim('/');
        if (inside.Length > 0 && mount.Type != "btrfs")
        {
            throw new SysrootException($"{full} shows a directory of a {mount.Type} file system, not its root");
        }
        string uuid = RequiredProgram.Run("blkid", ["-o", "value", "-s", "UUID", "-p", mount.Source]).Trim();
        return uuid.Length > 0 ? new RootMount(full, uuid, mount.Type, inside) : throw new SysrootException($"The file system of {full} has no UUID");
    }
}
