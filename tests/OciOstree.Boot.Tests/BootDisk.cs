using OciOstree.Linux;

namespace OciOstree.Boot.Tests;

/// <summary>
/// A disk image with a boot loader and a root file system, mounted while it is open. Used inside a mount namespace of the test's own,
/// so that not even a killed test leaves a mount or a loop device.
/// </summary>
internal abstract class BootDisk : IDisposable
{
    internal const string Label = "bootroot";
    private readonly Stack<string> mounted = new();

    protected BootDisk(ScratchDirectory scratch, string name, string size)
    {
        Image = scratch[name + ".img"];
        Root = scratch.MakeDirectory(name);
        Tool.Run("truncate", "-s", size, Image).Ok();
    }

    internal string Image { get; }

    /// <summary>Where it is mounted.</summary>
    internal string Root { get; }

    /// <summary>Whether the firmware that boots it is UEFI; else it is a BIOS.</summary>
    internal virtual bool IsEfi => false;

    /// <summary>What <c>sysroot.bootloader</c> says.</summary>
    protected abstract string Bootloader { get; }

    internal abstract void Mount();

    internal void Unmount()
    {
        while (mounted.TryPop(out string? path))
            Mounts.Unmount(path);
    }

    /// <summary>An empty system root with one stateroot, as an installer leaves it.</summary>
    internal void InitializeSysroot(string stateroot)
    {
        OurProgram.Run("admin", "init-fs", "--epoch=1", Root).Ok();
        OurProgram.Run("admin", "stateroot-init", "--sysroot", Root, stateroot).Ok();
        // The real program sets what an installer would: that way it also has read our configuration.
        string repo = Root + "/ostree/repo";
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.bootloader", Bootloader).Ok();
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.readonly", "true").Ok();
        InstallLoader();
    }

    protected abstract void InstallLoader();

    protected void MountImage(string path, string options = "loop") => MountFile(Image, path, options);

    protected void MountFile(string file, string path, string options)
    {
        Tool.Run("mount", "-o", options, file, path).Ok();
        mounted.Push(path);
    }

    public void Dispose() => Unmount();
}
