using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>An upgrade to an image that fails its health check: the machine tries it twice, then comes back on its own, with /var and its own /etc as they were.</summary>
public sealed class FallbackBootTests(ITestOutputHelper output)
{
    [Fact]
    public void A_machine_comes_back_from_an_image_that_fails_its_checks() => PrivateMounts.Run(() =>
    {
        // What the two units run, and what the timer of an administrator would.
        const string judge = "#!/bin/sh\noci-ostree boot-check --begin --attempts=2\noci-ostree boot-check --attempts=2 --no-reboot\ncat /run/motd.d/boot-status\n";
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json", "/usr/bin/judge-upgrade", "/usr/bin/judge", "/usr/bin/judge", "/usr/bin/judge-upgrade");
        using var scratch = new ScratchDirectory("fallback");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in (string[])["1", "2"])
        {
            string tree = scratch.MakeDirectory("tree" + version);
            BootTree.Make(tree, KernelPackage.Get(), version, commands);
            scratch.Write($"tree{version}/usr/etc/containers/registries.conf", $"[[registry]]\nlocation = \"{VirtualMachine.Registry}\"\ninsecure = true\n");
            scratch.Write($"tree{version}/usr/bin/judge", judge);
            scratch.Write($"tree{version}/usr/bin/judge-upgrade", judge + "exec oci-ostree upgrade\n");
            scratch.Write($"tree{version}/usr/lib/oci-ostree/boot-check.d/service", $"#!/bin/sh\necho service of version {version}\n[ {version} = 1 ]\n");
            Tool.Shell("chmod 755 usr/bin/judge* usr/lib/oci-ostree/boot-check.d/service", tree).Ok();
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version).Ok();
        }
        OurProgram.Run("container", "encapsulate", "--repo", repo, "mini/1", $"oci:{scratch["images"]}:1").Ok();
        OurProgram.Run("container", "encapsulate", "--tls-verify=false", "--repo", repo, "mini/2", $"docker://{registry.Host}/os:1").Ok();
        using var disk = new InstalledDisk(scratch, "disk", efi: false);
        OurProgram.Run("install", "to-disk", disk.Image, "--size=600M", "--bootloader=extlinux", "--stateroot=mini", "--quiet",
            "--imgref", $"ostree-unverified-image:oci:{scratch["images"]}:1", "--target-imgref", $"ostree-unverified-registry:{VirtualMachine.Registry}/os:1",
            "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck).Ok();

        var story = VirtualMachine.Run(disk, registry.Port, scratch, VirtualMachine.Patience);
        output.WriteLine(story.Everything);
        story.Expect(1, "version", "1");
        story.ExpectSuccess(1, "step");
        Assert.Contains("Boot is healthy: 1 required check passed", story.Output(1, "step"));
        foreach (int boot in (int[])[2, 3])
        {
            story.Expect(boot, "version", "2");
            Assert.Contains("/usr/lib/oci-ostree/boot-check.d/service: FAILED: exit code 1", story.Output(boot, "step"));
        }
        Assert.Contains(story.Output(2, "step"), line => line.Contains("(try 1 of 2): it is tried again", StringComparison.Ordinal));
        Assert.Contains(story.Output(3, "step"), line => line.Contains("was given up after 2 tries", StringComparison.Ordinal));

        story.Expect(4, "version", "1");
        story.Expect(4, "etc hostname", "edited");
        story.Expect(4, "etc local", "mine");
        story.Expect(4, "var-keep", "kept");
        Assert.Equal(story.Deployment(1).Split('/')[^2], story.Deployment(4).Split('/')[^2]);
        // Nor is it taken again.
        Assert.Contains(story.Output(4, "step"), line => line.Contains("failed its health checks on this machine and was given up", StringComparison.Ordinal));
        story.Expect(5, "version", "1");
    });
}
