using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>
/// What <c>install to-disk</c> makes of an image boots as it is: by each boot loader and firmware, on each file system, its root found by its UUID. One such machine lives on: it
/// moves to another image of the registry, goes back, and follows the image that it was installed from.
/// </summary>
public sealed class InstallBootTests(ITestOutputHelper output)
{
    /// <summary>Set to <c>all</c>: every loader that goes with every firmware and file system, each living the whole life.</summary>
    private const string Switch = "OCI_OSTREE_BOOT_VARIANTS";
    private static readonly string[] LoaderPackages = ["grub-pc-bin", "grub-efi-amd64-bin", "systemd-boot-efi", "refind"];

    public static TheoryData<string, string, string, bool> Variants
    {
        get
        {
            var variants = new TheoryData<string, string, string, bool>();
            if (Environment.GetEnvironmentVariable(Switch) == "all")
            {
                variants.Add("extlinux", "bios", "ext4", true);
                foreach (string fileSystem in (string[])["ext4", "xfs", "btrfs"])
                {
                    variants.Add("grub", "bios", fileSystem, true);
                    variants.Add("grub", "efi", fileSystem, true);
                    variants.Add("systemd-boot", "efi", fileSystem, true);
                }
                return variants;
            }
            // Each loader, firmware and file system once, since each boot takes its time; extlinux is what FallbackBootTests installs.
            variants.Add("grub", "bios", "xfs", false);
            variants.Add("grub", "efi", "btrfs", false);
            variants.Add("systemd-boot", "efi", "ext4", true);
            return variants;
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void An_installed_disk_boots_is_rebased_and_rolled_back(string loader, string firmware, string fileSystem, bool lives) => PrivateMounts.Run(() =>
    {
        string image = $"ostree-unverified-registry:{VirtualMachine.Registry}/os:";
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json", lives ? [$"oci-ostree rebase {image}2", "oci-ostree rollback", "oci-ostree upgrade"] : [])
        {
            Facts = "cat /proc/mounts",
        };
        using var scratch = new ScratchDirectory("install");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        foreach (string version in lives ? (string[])["1", "2", "3"] : ["1"])
        {
            string tree = BootTree.MakeVersion(scratch, version, commands, fileSystem);
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version).Ok();
            // The machine follows :1 of the registry, which has moved on to the third version since its medium was made.
            string[] target = version == "1" ? [$"oci:{scratch["images"]}:1"] : ["--tls-verify=false", $"docker://{registry.Host}/os:{(version == "2" ? "2" : "1")}"];
            OurProgram.Run(["container", "encapsulate", "--repo", repo, "mini/" + version, .. target]).Ok();
        }

        using var disk = new InstalledDisk(scratch, "disk", efi: firmware == "efi");
        OurProgram.Run(["install", "to-disk", disk.Image, "--size=800M", "--bootloader=" + loader, "--filesystem=" + fileSystem, "--stateroot=mini", "--quiet",
            "--imgref", $"ostree-unverified-image:oci:{scratch["images"]}:1", "--target-imgref", image + "1",
            "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck, .. LoaderPackages.Select(package => "--loader-files=" + DebianPackage.Get(package))]).Ok();

        var story = VirtualMachine.Run(disk, registry.Port, scratch, VirtualMachine.Patience);
        output.WriteLine(story.Everything);
        Judge.System(story, 1, "1");
        Assert.Contains(story.Output(1, "status"), line => line.StartsWith("* ", StringComparison.Ordinal));
        Assert.Contains(story.Output(1, "facts"), line => line.Contains($" /sysroot {fileSystem} ", StringComparison.Ordinal));
        if (lives)
        {
            Judge.Life(story);
            story.ExpectSuccess(3, "step");
            Judge.System(story, 4, "3");
            story.Expect(4, "etc hostname", "edited");
            story.Expect(4, "etc motto", "of version 3");
            story.Expect(4, "var-keep", "kept");
            // The way back led to the very deployment that was left.
            Assert.Equal(story.Deployment(1).Split('/')[^2], story.Deployment(3).Split('/')[^2]);
        }
        disk.Mount();
        Judge.Remains(disk, "mini", deployments: lives ? 2 : 1);
    });

    [Fact]
    public void A_system_installed_beside_another_boots_by_the_grub_of_the_other() => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json") { Facts = "cat /proc/mounts" };
        using var scratch = new ScratchDirectory("install");
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo", repo, "--branch=mini/1", "--tree=dir=" + BootTree.MakeVersion(scratch, "1", commands, "btrfs"), "--bootable").Ok();
        OurProgram.Run("container", "encapsulate", "--repo", repo, "mini/1", $"oci:{scratch["images"]}:1").Ok();

        using var disk = new BesideDisk(scratch, "disk");
        string told = OurProgram.Run("install", "to-filesystem", disk.Root, "--bootloader=grub", "--stateroot=mini", "--quiet",
            "--imgref", $"ostree-unverified-image:oci:{scratch["images"]}:1", "--target-imgref", $"ostree-unverified-registry:{VirtualMachine.Registry}/os:1",
            "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck).Ok().Error;
        // What it says for the other's /etc/grub.d/40_custom is all that the other has to know.
        disk.AddToMenu(told[told.IndexOf("menuentry", StringComparison.Ordinal)..]);
        var story = VirtualMachine.Run(disk, registryPort: 9, scratch, VirtualMachine.Patience);
        output.WriteLine(story.Everything);
        Judge.System(story, 1, "1");
        Assert.Contains(story.Output(1, "facts"), line => line.Contains(" /sysroot btrfs ", StringComparison.Ordinal) && line.Contains("subvol=/try", StringComparison.Ordinal));
    });
}
