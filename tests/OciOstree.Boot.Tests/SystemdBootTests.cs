using System.Diagnostics;
using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>A whole Debian under systemd: what is staged while it runs is finalised by the shutdown's unit, ours or ostree's own.</summary>
public sealed class SystemdBootTests(ITestOutputHelper output)
{
    [Fact]
    public void A_debian_under_systemd_finalises_at_shutdown_what_was_staged() => PrivateMounts.Run(() =>
    {
        var clock = Stopwatch.StartNew();
        string image = $"ostree-unverified-registry:{VirtualMachine.Registry}/os:";
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json", $"oci-ostree rebase {image}2", $"oci-ostree rebase {image}1");
        using var scratch = new ScratchDirectory("systemd");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in (string[])["1", "2"])
        {
            string overlay = "overlay" + version;
            // The first goes down with our unit, the second with the one that Debian's ostree brings.
            SystemdTree.MakeOverlay(scratch, overlay, version, commands, ownUnit: version == "1");
            scratch.Write(overlay + "/usr/etc/hostname", $"mini-{version}\n");
            scratch.Write(overlay + "/usr/etc/motto", $"of version {version}\n");
            scratch.Write(overlay + "/usr/etc/containers/registries.conf", $"[[registry]]\nlocation = \"{VirtualMachine.Registry}\"\ninsecure = true\n");
            scratch.Write(overlay + "/usr/etc/removed", "by the owner\n");
            if (version == "2")
                scratch.Write(overlay + "/usr/etc/added", "by version 2\n");
            OurProgram.Run("commit", "--repo", repo, "--branch=debian/" + version, "--tree=dir=" + SystemdTree.Base(), "--tree=dir=" + scratch[overlay],
                "--bootable", "--add-metadata-string=version=" + version, "--subject=Debian " + version).Ok();
            OurProgram.Run("container", "encapsulate", "--tls-verify=false", "--repo", repo, "debian/" + version, $"docker://{registry.Host}/os:{version}").Ok();
        }
        output.WriteLine($"{clock.ElapsedMilliseconds} ms: two images made and pushed");

        using var disk = new ExtlinuxDisk(scratch, "disk", "3G");
        disk.InitializeSysroot("debian");
        OurProgram.Run("deploy", "--tls-verify=false", "--sysroot", disk.Root, "--stateroot", "debian",
            "--imgref", $"ostree-unverified-registry:{registry.Host}/os:1", "--target-imgref", image + "1",
            "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet").Ok();
        disk.Unmount();
        var story = VirtualMachine.Run(disk, registry.Port, scratch, TimeSpan.FromMinutes(10), memory: 1536);
        output.WriteLine($"{clock.ElapsedMilliseconds} ms: booted {story.Boots} times");
        output.WriteLine(story.Everything);
        disk.Mount();

        Judge.Life(story);
        // Staged only: without the shutdown's unit the machine would have come up as it was.
        Assert.All((int[])[1, 2], boot => Assert.Contains(story.Output(boot, "after"), line => line.Contains("staged", StringComparison.OrdinalIgnoreCase)));
        Judge.Remains(disk, "debian");
    });
}
