namespace OciOstree.Sysroot.Tests;

/// <summary>Boots that fail: what follows from each, until the deployment before is the default again.</summary>
public sealed class BootHealthTests : IDisposable
{
    private readonly BootedSysroot system = new();

    public BootHealthTests() => Booted(health => health.MarkGood());

    public void Dispose() => system.Dispose();

    private string[] Versions()
    {
        using Sysroot sysroot = system.Open(readOnly: true);
        return [.. sysroot.Deployments.Select(d => sysroot.VersionOf(d.Commit)!)];
    }

    private void Booted(Action<BootHealth> action)
    {
        using Sysroot sysroot = system.Open();
        action(new BootHealth(sysroot));
    }

    private void Upgrade(string branch)
    {
        using Sysroot sysroot = system.Open();
        Deployment deployed = TestSysroot.Deploy(sysroot, branch);
        system.Boot(deployed);
    }

    [Fact]
    public void A_new_deployment_that_fails_is_tried_again_then_given_up()
    {
        Upgrade("v2");
        for (int boot = 1; boot <= 2; boot++)
        {
            Booted(health => Assert.Equal(BootVerdict.Continue, health.Begin(3)));
            Booted(health => Assert.Equal(BootVerdict.Retry, health.Fail(3)));
            Assert.Equal(["2.0", "1.0"], Versions());
        }
        Booted(health => Assert.Equal(BootVerdict.Continue, health.Begin(3)));
        Booted(health => Assert.Equal(BootVerdict.RolledBack, health.Fail(3)));
        Assert.Equal(["1.0", "2.0"], Versions());

        using Sysroot sysroot = system.Open();
        system.Boot(sysroot.Deployments[0]);
        Assert.Equal(HealthState.Good, BootHealth.StateOf(sysroot, sysroot.Deployments[0]));
        Assert.Equal(HealthState.Bad, BootHealth.StateOf(sysroot, sysroot.Deployments[1]));
    }

    [Fact]
    public void One_that_never_lives_to_be_judged_is_given_up_too()
    {
        Upgrade("v2");
        for (int boot = 1; boot <= 3; boot++)
        {
            Booted(health => Assert.Equal(BootVerdict.Continue, health.Begin(3)));
        }
        Booted(health =>
        {
            Assert.Equal(BootVerdict.RolledBack, health.Begin(3));
            Assert.Equal("v2", health.GivenUp!.Origin!.Refspec);
        });
        Assert.Equal(["1.0", "2.0"], Versions());
    }

    [Fact]
    public void One_that_was_good_once_is_never_rolled_back()
    {
        Upgrade("v2");
        Booted(health => health.Begin(1));
        Booted(health => health.MarkGood());
        for (int boot = 1; boot <= 3; boot++)
        {
            Booted(health => Assert.Equal(BootVerdict.Continue, health.Begin(1)));
            Booted(health => Assert.Equal(BootVerdict.Stay, health.Fail(1)));
        }
        Assert.Equal(["2.0", "1.0"], Versions());
    }

    [Fact]
    public void Nothing_goes_back_to_what_was_given_up()
    {
        Upgrade("v2");
        Booted(health => Assert.Equal(BootVerdict.RolledBack, health.Fail(1)));
        using (Sysroot sysroot = system.Open())
        {
            // Somebody makes it the default nevertheless, and rolls back by hand later.
            sysroot.SetDefault(1);
            system.Boot(sysroot.Deployments[0]);
        }
        Booted(health => Assert.Equal(BootVerdict.Stay, health.Fail(1)));
        Assert.Equal(["2.0", "1.0"], Versions());
    }

    [Fact]
    public void The_only_deployment_stays()
    {
        using var alone = new BootedSysroot();
        using Sysroot sysroot = alone.Open();
        var health = new BootHealth(sysroot);
        Assert.Equal(BootVerdict.Continue, health.Begin(1));
        Assert.Equal(BootVerdict.Continue, health.Begin(1));
        Assert.Equal(BootVerdict.Stay, health.Fail(1));
    }

    [Fact]
    public void Entries_lose_their_counters_in_a_good_boot()
    {
        Tool.Run("ostree", "config", $"--repo={system["ostree/repo"]}", "set", "sysroot.boot-counting-tries", "3").Ok();
        Upgrade("v2");
        // As systemd-boot leaves it after one try.
        system.Disk.Shell("cd boot/loader/entries; ls | grep '+3'; mv ostree-2+3.conf ostree-2+2-1.conf");
        Booted(health => health.MarkGood());
        Assert.Equal(["ostree-1.conf", "ostree-2.conf"], Directory.GetFiles(system["boot/loader/entries"]).Select(Path.GetFileName).Order());
        Booted(health => Assert.Equal(BootVerdict.Continue, health.Begin(3)));
    }

    [Fact]
    public void A_boot_loader_that_has_no_tries_left_is_followed()
    {
        Tool.Run("ostree", "config", $"--repo={system["ostree/repo"]}", "set", "sysroot.boot-counting-tries", "2").Ok();
        Deployment before = system.Open().Using(sysroot => sysroot.Deployments[0]);
        Upgrade("v2");
        system.Boot(before);
        system.Disk.Shell("mv boot/loader/entries/ostree-2+2.conf boot/loader/entries/ostree-2+0-2.conf");
        Booted(health => Assert.Equal(BootVerdict.FellBack, health.Begin(3)));
        Assert.Equal(["1.0", "2.0"], Versions());
    }

    [Fact]
    public void Grub_counts_and_is_told()
    {
        Tool.Run("ostree", "config", $"--repo={system["ostree/repo"]}", "set", "sysroot.boot-counting-tries", "3").Ok();
        string block = system["boot/grub2/grubenv"];
        Directory.CreateDirectory(Path.GetDirectoryName(block)!);
        Tool.Run("grub-editenv", block, "create").Ok();
        Deployment before = system.Open().Using(sysroot => sysroot.Deployments[0]);
        Upgrade("v2");
        Assert.Equal(["boot_counter=3", "boot_success=0"], Tool.Run("grub-editenv", block, "list").Ok().OutputLines);

        // GRUB has tried it three times and booted the second entry.
        Tool.Run("grub-editenv", block, "set", "boot_counter=-1").Ok();
        system.Boot(before);
        Booted(health => Assert.Equal(BootVerdict.FellBack, health.Begin(3)));
        Assert.Equal(["1.0", "2.0"], Versions());
        Booted(health => health.MarkGood());
        Assert.Equal(["boot_success=1"], Tool.Run("grub-editenv", block, "list").Ok().OutputLines);
    }
}

file static class Once
{
    public static T Using<T>(this Sysroot sysroot, Func<Sysroot, T> read)
    {
        using (sysroot)
        {
            return read(sysroot);
        }
    }
}
