using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

public sealed class UnlockTests : IDisposable
{
    private readonly BootedSysroot system = new();

    public UnlockTests() => Directory.CreateDirectory(system["usr/bin"]);

    public void Dispose() => system.Dispose();

    [Fact]
    public void Development_is_writable_until_the_reboot() => PrivateMounts.Run(() =>
    {
        using (Sysroot sysroot = system.Open())
        {
            sysroot.Unlock(UnlockedState.Development);
            Assert.Equal(UnlockedState.Development, sysroot.Booted!.Unlocked);
            Assert.Equal("Deployment is already in unlocked state: development", Assert.Throws<SysrootException>(() => sysroot.Unlock(UnlockedState.Hotfix)).Message);
        }
        using Sysroot again = system.Open(readOnly: true);
        Deployment booted = again.Booted!;
        Assert.True(File.Exists($"{system.Run}/ostree/deployment-state/{booted.Name}/unlocked-development"));
        File.WriteAllText(system["usr/bin/program"], "changed");
        Assert.Equal("program of v1\n", File.ReadAllText(system[$"{booted.Path}/usr/bin/program"]));
        Assert.Equal("changed", File.ReadAllText(system[$"{booted.BackingPath}/usr-transient/upper/bin/program"]));
        Assert.Contains("lowerdir=usr", Mounts.Find(system["usr"])!.SuperOptions);
        Assert.Single(again.Deployments);
    });

    [Fact]
    public void Transient_is_read_only_until_it_is_mounted_again() => PrivateMounts.Run(() =>
    {
        using Sysroot sysroot = system.Open();
        sysroot.Unlock(UnlockedState.Transient);
        Assert.Equal(UnlockedState.Transient, sysroot.Booted!.Unlocked);
        Assert.Throws<IOException>(() => File.WriteAllText(system["usr/bin/new"], "x"));
        Mounts.RemountWritable(system["usr"]);
        File.WriteAllText(system["usr/bin/new"], "x");
        Assert.True(File.Exists(system[$"{sysroot.Booted.BackingPath}/usr-transient/upper/bin/new"]));
    });

    [Fact]
    public void A_hotfix_stays_and_leaves_a_clone_to_go_back_to() => PrivateMounts.Run(() =>
    {
        using (Sysroot sysroot = system.Open())
        {
            sysroot.Unlock(UnlockedState.Hotfix);
        }
        File.WriteAllText(system["usr/bin/program"], "fixed");
        using Sysroot again = system.Open();
        Assert.Equal([0, 1], again.Deployments.Select(d => d.Serial));
        Deployment booted = again.Deployments[0];
        Assert.True(booted.IsSame(again.Booted));
        Assert.Equal(UnlockedState.Hotfix, booted.Unlocked);
        Assert.Equal("hotfix", booted.Origin!.Unlocked);
        Assert.Equal("v1", booted.Origin.Refspec);
        Assert.Equal(UnlockedState.None, again.Deployments[1].Unlocked);
        Assert.StartsWith("root=x ostree=", again.Deployments[1].KernelArguments.ToString());
        // Where ostree-prepare-root looks for it.
        Assert.True(Directory.Exists(system[$"{booted.Path}/.usr-ovl-work"]));
        Assert.Equal("fixed", File.ReadAllText(system[$"{booted.Path}/.usr-ovl-upper/bin/program"]));
        Assert.Contains("Unlocked: hotfix", system.Disk.RealStatus());

        // An upgrade leaves the hotfix behind.
        var upgrade = new BranchUpgrade(again, TestSysroot.Stateroot);
        upgrade.Origin.RemoveTransientState();
        upgrade.Origin.Refspec = "v2";
        Assert.True(upgrade.Find(null, allowOlder: true));
        upgrade.Deploy(stage: false);
        Assert.Equal(UnlockedState.None, again.Deployments[0].Unlocked);
        Assert.False(Directory.Exists(system[$"{again.Deployments[0].Path}/.usr-ovl-upper"]));
    });

    [Fact]
    public void Only_a_booted_system_is_unlocked()
    {
        using Sysroot sysroot = system.Disk.Open();
        Assert.Equal("Not currently booted into an OSTree system", Assert.Throws<SysrootException>(() => sysroot.Unlock(UnlockedState.Development)).Message);
    }

    [Fact]
    public void An_upgrade_wins_over_what_a_state_overlay_changed() => PrivateMounts.Run(() =>
    {
        string opt = system["usr/opt"];
        Tool.Shell("mkdir -p app/conf gone; echo tree > app/a; echo tree > app/conf/b; echo tree > gone/c", Directory.CreateDirectory(opt).FullName).Ok();
        using (Sysroot sysroot = system.Open(readOnly: true))
        {
            StateOverlay.Mount(sysroot, "opt", opt);
        }
        Tool.Shell("echo mine > app/a; echo mine > app/conf/state; mkdir own; echo mine > own/file; rm -r gone; rm app/conf/b", opt).Ok();
        Mounts.Unmount(opt);

        // The same deployment again: all stays.
        using (Sysroot sysroot = system.Open(readOnly: true))
        {
            StateOverlay.Mount(sysroot, "opt", opt);
        }
        Assert.Equal("mine\n", File.ReadAllText($"{opt}/app/a"));
        Assert.False(Directory.Exists($"{opt}/gone"));
        Mounts.Unmount(opt);

        system.Boot(system.Disk.Deploy("v2", Retention.All));
        using (Sysroot sysroot = system.Open(readOnly: true))
        {
            StateOverlay.Mount(sysroot, "opt", opt);
        }
        Assert.Equal("tree\n", File.ReadAllText($"{opt}/app/a"));
        Assert.Equal("tree\n", File.ReadAllText($"{opt}/app/conf/b"));
        Assert.Equal("tree\n", File.ReadAllText($"{opt}/gone/c"));
        Assert.Equal("mine\n", File.ReadAllText($"{opt}/app/conf/state"));
        Assert.Equal("mine\n", File.ReadAllText($"{opt}/own/file"));
    });

    [Fact]
    public void A_soft_reboot_needs_the_running_kernel_and_its_arguments()
    {
        system.Disk.Deploy("v3", Retention.All);
        using Sysroot sysroot = system.Open();
        Deployment other = sysroot.Deployments.First(d => d.Origin!.Refspec == "v3");
        Assert.True(sysroot.CanSoftReboot(other));
        Assert.Equal("soft reboot not supported without composefs", Assert.Throws<SysrootException>(() => sysroot.PrepareSoftReboot(other)).InnerException!.Message);
        sysroot.SetKernelArguments(other, ["root=x", "quiet"]);
        other = sysroot.Deployments.First(d => d.Origin!.Refspec == "v3");
        Assert.False(sysroot.CanSoftReboot(other));
        Assert.Equal("Cannot soft-reboot to deployment with different kernel state", Assert.Throws<SysrootException>(() => sysroot.PrepareSoftReboot(other)).InnerException!.Message);
        sysroot.ClearSoftReboot();
    }
}
