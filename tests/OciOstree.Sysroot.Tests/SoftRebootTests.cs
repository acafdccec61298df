using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot.Tests;

/// <summary>What systemd's soft reboot changes to: a composefs root at <c>/run/nextroot</c>, with the kernel that runs.</summary>
public sealed class SoftRebootTests : IDisposable
{
    private readonly BootedSysroot system = new();

    public SoftRebootTests()
    {
        system.Disk.Commit("v4", "4.0", edit: "mkdir -p usr/lib/ostree; printf '[composefs]\\nenabled=yes\\n' > usr/lib/ostree/prepare-root.conf; head -c 9000 /dev/zero > usr/bin/large");
        system.Disk.Commit("v5", "5.0", edit: "mkdir -p usr/lib/ostree; printf '[composefs]\\nenabled=yes\\n[root]\\ntransient=true\\n[etc]\\ntransient=true\\n' > usr/lib/ostree/prepare-root.conf");
    }

    public void Dispose() => system.Dispose();

    private Deployment Add(string branch)
    {
        using Sysroot sysroot = system.Open();
        Deployment deployed = sysroot.Deploy(new DeployRequest
        {
            Stateroot = TestSysroot.Stateroot,
            Commit = sysroot.Repo.ResolveRequired(branch),
            Merge = sysroot.Booted,
        });
        sysroot.AddDeployment(deployed, sysroot.Booted, Retention.NotAsDefault | Retention.All);
        return deployed;
    }

    private static Deployment Find(Sysroot sysroot, Deployment wanted) => sysroot.Deployments.First(d => d.Name == wanted.Name);

    [Fact]
    public void The_next_root_is_mounted_recorded_and_taken_back() => PrivateMounts.Run(() =>
    {
        Deployment target = Add("v4");
        File.WriteAllText(system[$"{target.Path}/etc/b"], "of this machine");
        using Sysroot sysroot = system.Open();
        Assert.True(sysroot.CanSoftReboot(Find(sysroot, target)));
        sysroot.PrepareSoftReboot(Find(sysroot, target));
        string next = $"{system.Run}/nextroot";
        Assert.True(Find(sysroot, target).IsSoftRebootTarget);

        Assert.Equal("program of v4\n", File.ReadAllText(next + "/usr/bin/program"));
        Assert.Equal(9000, File.ReadAllBytes(next + "/usr/bin/large").Length);
        Assert.Equal("overlay", Mounts.Find(next)!.Type);
        Assert.Throws<IOException>(() => File.WriteAllText(next + "/usr/bin/program", "x"));
        Assert.Equal("of this machine", File.ReadAllText(next + "/etc/b"));
        File.WriteAllText(next + "/etc/new", "x");
        Assert.True(File.Exists(system[$"{target.Path}/etc/new"]));
        Assert.True(Directory.Exists(next + "/boot/loader/entries"));
        Assert.True(Directory.Exists(next + "/sysroot/ostree/repo"));
        Assert.Throws<IOException>(() => File.WriteAllText(next + "/sysroot/x", "x"));
        Variant recorded = Variant.FromBytes("a{sv}", File.ReadAllBytes($"{system.Run}/ostree/nextroot-booted"));
        Assert.Equal($"{{'backing-root-device-inode': <(uint64 {sysroot.Deployments.First(d => d.IsSoftRebootTarget).Device}, uint64 {InodeOf(target)})>, 'root.transient': <false>, 'root.transient-ro': <false>, "
            + "'composefs': <true>, 'composefs.verity': <false>, 'sysroot-ro': <true>}", recorded.Print());

        sysroot.ClearSoftReboot();
        Assert.DoesNotContain(Mounts.ReadMountInfo(), mount => mount.MountPoint.StartsWith(system.Run, StringComparison.Ordinal) || mount.MountPoint == system.Disk.Path);
        Assert.False(File.Exists($"{system.Run}/ostree/nextroot-booted"));
        Assert.DoesNotContain(sysroot.Deployments, d => d.IsSoftRebootTarget);
    });

    [Fact]
    public void A_root_that_forgets_can_be_written_to() => PrivateMounts.Run(() =>
    {
        Deployment target = Add("v5");
        using (Sysroot sysroot = system.Open())
        {
            sysroot.PrepareSoftReboot(Find(sysroot, target));
        }
        string next = $"{system.Run}/nextroot";
        File.WriteAllText(next + "/usr/bin/program", "changed");
        File.WriteAllText(next + "/etc/b", "changed");
        Assert.Equal("program of v5\n", File.ReadAllText(system[$"{target.Path}/usr/bin/program"]));
        Assert.NotEqual("changed", File.ReadAllText(system[$"{target.Path}/etc/b"]));
        Assert.Contains("'transient-etc': <'" + system.Run, Variant.FromBytes("a{sv}", File.ReadAllBytes($"{system.Run}/ostree/nextroot-booted")).Print());

        // Other deployments than the one that it was prepared for take its place.
        using Sysroot after = system.Open();
        after.Undeploy(Find(after, target).Index);
        Assert.False(File.Exists($"{system.Run}/ostree/nextroot-booted"));
        Assert.DoesNotContain(Mounts.ReadMountInfo(), mount => mount.MountPoint.StartsWith(next, StringComparison.Ordinal));
    });

    [Fact]
    public void Another_kernel_and_other_roots_are_refused_and_leave_no_mount() => PrivateMounts.Run(() =>
    {
        Deployment otherKernel = Add("v2"), plain = Add("v3");
        using Sysroot sysroot = system.Open();
        Assert.Equal("Cannot soft-reboot to deployment with different kernel state", Assert.Throws<SysrootException>(() => sysroot.PrepareSoftReboot(Find(sysroot, otherKernel))).InnerException!.Message);
        Assert.Equal("soft reboot not supported without composefs", Assert.Throws<SysrootException>(() => sysroot.PrepareSoftReboot(Find(sysroot, plain))).InnerException!.Message);
        Assert.DoesNotContain(Mounts.ReadMountInfo(), mount => mount.MountPoint.StartsWith(system.Run, StringComparison.Ordinal) || mount.MountPoint == system.Disk.Path);
        sysroot.ClearSoftReboot();
    });

    private ulong InodeOf(Deployment deployment)
    {
        using LinuxDirectory root = LinuxDirectory.Open(system[deployment.Path]);
        return root.Status().Inode;
    }
}
