using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>What <c>install to-disk</c> makes of an image boots as it is: by each boot loader, its root found by its UUID; one goes on to the next version by itself.</summary>
public sealed class InstallBootTests(ITestOutputHelper output)
{
    private static readonly string[] LoaderPackages = ["grub-pc-bin", "grub-efi-amd64-bin", "systemd-boot-efi", "refind"];

    [Theory]
    [InlineData("extlinux", false, false)]
    [InlineData("systemd-boot", true, true)]
    [InlineData("grub", false, false)]
    public void An_installed_disk_boots_and_upgrades_itself(string loader, bool efi, bool upgrades) => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json", upgrades ? ["oci-ostree upgrade"] : []);
        using var scratch = new ScratchDirectory("install");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in upgrades ? (string[])["1", "2"] : ["1"])
        {
            string tree = scratch.MakeDirectory("tree" + version);
            BootTree.Make(tree, KernelPackage.Get(), version, commands);
            scratch.Write($"tree{version}/usr/etc/containers/registries.conf", $"[[registry]]\nlocation = \"{VirtualMachine.Registry}\"\ninsecure = true\n");
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version).Ok();
            OurProgram.Run("container", "encapsulate", "--repo", repo, "mini/" + version, $"oci:{scratch["images"]}:{version}").Ok();
        }
        if (upgrades)
            OurProgram.Run("container", "encapsulate", "--tls-verify=false", "--repo", repo, "mini/2", $"docker://{registry.Host}/os:1").Ok();

        using var disk = new InstalledDisk(scratch, "disk", efi);
        // The machine follows the registry, whose :1 has moved on to version 2 since the medium was made.
        OurProgram.Run(["install", "to-disk", disk.Image, "--size=600M", "--bootloader=" + loader, "--stateroot=mini", "--quiet",
            "--imgref", $"ostree-unverified-image:oci:{scratch["images"]}:1", "--target-imgref", $"ostree-unverified-registry:{VirtualMachine.Registry}/os:1",
            "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck, .. LoaderPackages.Select(package => "--loader-files=" + DebianPackage.Get(package))]).Ok();

        var story = VirtualMachine.Run(disk, registry.Port, scratch, TimeSpan.FromSeconds(240));
        output.WriteLine(story.Everything);
        Judge.System(story, 1, "1");
        Assert.Contains(story.Output(1, "status"), line => line.StartsWith("* ", StringComparison.Ordinal));
        if (!upgrades)
            return;
        story.ExpectSuccess(1, "step");
        story.Expect(2, "version", "2");
        story.Expect(2, "etc hostname", "edited");
        story.Expect(2, "var-keep", "kept");
        Assert.NotEqual(story.Deployment(1), story.Deployment(2));
    });
}
