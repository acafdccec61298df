using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

/// <summary>A scratch sysroot that plays a booted system, with a <c>/run</c> of its own: branches v1 to v3 are there, v1 is booted.</summary>
internal sealed class BootedSysroot : IDisposable
{
    private readonly ScratchDirectory run = new("run");

    public BootedSysroot()
    {
        Disk.Commit("v1", "1.0");
        Disk.Commit("v2", "2.0", kernel: "2");
        Disk.Commit("v3", "3.0", kernel: "1");
        Boot(Disk.Deploy("v1", Retention.Default, "root=x"));
    }

    public TestSysroot Disk { get; } = new();

    public string Run => run.Path;

    public string this[string relative] => Disk[relative];

    /// <summary>Makes another deployment the running one.</summary>
    public void Boot(Deployment deployment)
    {
        using LinuxDirectory root = LinuxDirectory.Open(Disk.Path);
        FileStatus status = root.Status(deployment.Path);
        File.WriteAllBytes(run["ostree-booted"], Variant.Dictionary(
            [new("backing-root-device-inode", Variant.Tuple(Variant.UInt64(status.Device), Variant.UInt64(status.Inode)))]).Data.ToArray());
    }

    public Sysroot Open(bool readOnly = false) => Sysroot.Open(Disk.Path, new SysrootOptions
    {
        ReadOnly = readOnly,
        RunningRoot = Disk.Path,
        RuntimeDirectory = run.Path,
        StartFinalization = () => { },
        Message = Disk.Messages.Add,
        Warning = Disk.Warnings.Add,
    });

    public void Dispose()
    {
        Disk.Dispose();
        run.Dispose();
    }
}
