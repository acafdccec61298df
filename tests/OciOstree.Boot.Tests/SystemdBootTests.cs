using System.Diagnostics;
using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>
/// A whole Debian under systemd: what is staged while it runs is finalised by the shutdown's unit, ours or ostree's own; and by the units that we ship an image that fails its check
/// is tried twice and left again, without anybody's help.
/// </summary>
public sealed class SystemdBootTests(ITestOutputHelper output)
{
    [Fact]
    public void A_debian_under_systemd_finalises_what_was_staged() => Run("2");

    [Fact]
    [Trait("Form", "long")]
    public void A_debian_under_systemd_leaves_an_image_that_fails() => Run("2", "3");

    private void Run(params string[] updates) => PrivateMounts.Run(() =>
    {
        var clock = Stopwatch.StartNew();
        string image = $"ostree-unverified-registry:{VirtualMachine.Registry}/os:";
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json", [.. updates.Select(update => $"oci-ostree rebase {image}{update}")]);
        using var scratch = new ScratchDirectory("systemd");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in updates.Prepend("1"))
        {
            string overlay = "overlay" + version;
            // The first goes down with our unit, the second with the one that Debian's ostree brings.
            SystemdTree.MakeOverlay(scratch, overlay, version, commands, ownUnit: version == "1", isHealthy: version != "3");
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
        output.WriteLine($"{clock.ElapsedMilliseconds} ms: images made and pushed");

        using var disk = new ExtlinuxDisk(scratch, "disk", "3G");
        disk.InitializeSysroot("debian");
        OurProgram.Run("deploy", "--tls-verify=false", "--sysroot", disk.Root, "--stateroot", "debian",
            "--imgref", $"ostree-unverified-registry:{registry.Host}/os:1", "--target-imgref", image + "1",
            "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck).Ok();
        disk.Unmount();
        var story = VirtualMachine.Run(disk, registry.Port, scratch, VirtualMachine.Patience, memory: 1536);
        output.WriteLine($"{clock.ElapsedMilliseconds} ms: booted {story.Boots} times");
        output.WriteLine(story.Everything);
        disk.Mount();

        Judge.Upgrade(story);
        // Staged only: without the shutdown's unit the machine would have come up as it was.
        foreach (int boot in Enumerable.Range(1, updates.Length))
        {
            Judge.Goes(story, boot);
            Assert.Contains(story.Output(boot, "after"), line => line.Contains("staged", StringComparison.OrdinalIgnoreCase));
        }

        Judge.Healthy(story, 1);
        Judge.Healthy(story, 2);
        if (updates.Contains("3"))
            JudgeFailure(story);
        else
            Assert.Equal(2, story.Boots);
        Judge.Remains(disk, "debian");
    });

    // The third fails and is tried twice, as its configuration says; /var is the same all the time, and /etc the second's again.
    private static void JudgeFailure(BootStory story)
    {
        foreach (int boot in (int[])[3, 4])
        {
            story.Expect(boot, "version", "3");
            story.Expect(boot, "var-keep", "kept");
            story.Expect(boot, "etc hostname", "edited");
        }
        // One run of the checks a boot.
        Assert.DoesNotContain("3 again ", story.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("4 again ", story.Everything, StringComparison.Ordinal);
        Assert.Equal(5, story.Boots);
        Judge.System(story, 5, "2");
        Assert.Equal(story.Deployment(2).Split('/')[^2], story.Deployment(5).Split('/')[^2]);
        story.Expect(5, "etc hostname", "edited");
        story.Expect(5, "var-keep", "kept");
        Judge.Healthy(story, 5);
    }
}
