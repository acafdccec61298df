using System.Diagnostics;
using System.Text.Json;
using OciOstree.Linux;
using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>A machine's life: deployed by our executable, booted by the real <c>ostree-prepare-root</c>, moved to a second version from inside, and back.</summary>
public sealed class BootTests(ITestOutputHelper output)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    [Fact]
    public void A_machine_boots_an_image_rebases_itself_and_rolls_back() => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("oci-ostree status", "oci-ostree status --json",
            $"oci-ostree rebase ostree-unverified-registry:{VirtualMachine.Registry}/os:2", "oci-ostree rollback", "oci-ostree upgrade")
        { StageOn = 1 };
        using var scratch = new ScratchDirectory("boot");
        using var registry = RegistryServer.Start(scratch);
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        string previous = "";
        foreach (string version in (string[])["1", "2"])
        {
            string tree = BootTree.MakeVersion(scratch, version, commands);
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version, "--subject=Mini " + version).Ok();
            string image = $"docker://{registry.Host}/os:{version}";
            OurProgram.Run("container", "encapsulate", "--tls-verify=false", "--repo", repo, "mini/" + version, image).Ok();
            Assert.NotEqual(previous, previous = Tool.Run("skopeo", "inspect", "--tls-verify=false", "--format={{.Digest}}", image).Ok().OutputLine);
        }
        Lap("two images made and pushed");

        using var disk = new ExtlinuxDisk(scratch, "disk", "500M");
        disk.InitializeSysroot("mini");
        OurProgram.Run("deploy", "--tls-verify=false", "--sysroot", disk.Root, "--stateroot", "mini",
            "--imgref", $"ostree-unverified-registry:{registry.Host}/os:1", "--target-imgref", $"ostree-unverified-registry:{VirtualMachine.Registry}/os:1",
            "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck).Ok();
        Lap("the first deployed");
        PushDerived(scratch, $"{registry.Host}/os:1");
        Lap("the first built upon, and pushed under its name");

        var story = Boot(disk, registry.Port, scratch);
        Judge.Life(story);
        Assert.Contains(story.Output(1, "after"), line => line.Contains($"{VirtualMachine.Registry}/os:2"));
        story.Expect(1, "started", "ostree-finalize-staged.service");
        story.ExpectSuccess(1, "finalize");
        story.ExpectSuccess(3, "step");
        Judge.System(story, 4, "3");
        story.Expect(4, "etc hostname", "edited");
        story.Expect(4, "etc motto", "of version 3");
        story.Expect(4, "var-keep", "kept");
        Judge.Remains(disk, "mini");
    });

    [Fact]
    public void A_machine_deploys_a_commit_in_the_words_of_ostree() => PrivateMounts.Run(() =>
    {
        var commands = new GuestCommands("ostree admin status", "true", "ostree admin deploy --os=mini mini/2", "ostree admin set-default 1");
        using var scratch = new ScratchDirectory("boot");
        using var disk = new ExtlinuxDisk(scratch, "disk", "500M");
        disk.InitializeSysroot("mini");
        // The real program's commits, so that the two tests share nothing but the boot.
        foreach (string version in (string[])["1", "2"])
            Tool.Run("ostree", "commit", $"--repo={disk.Root}/ostree/repo", "--branch=mini/" + version, "--tree=dir=" + BootTree.MakeVersion(scratch, version, commands), "--bootable").Ok();
        OurProgram.Ostree("admin", "deploy", "--sysroot=" + disk.Root, "--os=mini", "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet", VirtualMachine.NoTimerCheck, "mini/1").Ok();
        Lap("the first deployed");

        Judge.Life(Boot(disk, registryPort: 9, scratch));
        Judge.Remains(disk, "mini");
    });

    /// <summary>Replaces an image in the registry by one that a Containerfile makes of it.</summary>
    private static void PushDerived(ScratchDirectory scratch, string image)
    {
        string context = scratch.MakeDirectory("context");
        scratch.Write("context/Containerfile", $"""
            FROM {image}
            RUN echo 3 >/usr/lib/version && sed -i 's/VERSION_ID=.*/VERSION_ID=3/' /usr/lib/os-release && echo of version 3 >/etc/motto
            """);
        string[] storage = ["--root", scratch["containers"], "--runroot", scratch["containers-run"], "--storage-driver", "overlay"];
        Tool.Run("buildah", [.. storage, "bud", "--quiet", "--isolation", "chroot", "--tls-verify=false", "-t", "derived", context]).Ok();
        Tool.Run("buildah", [.. storage, "push", "--quiet", "--tls-verify=false", "derived", "docker://" + image]).Ok();
    }

    private BootStory Boot(BootDisk disk, int registryPort, ScratchDirectory scratch)
    {
        // The real program reads what ours deployed before anything runs on it.
        Tool.Run("ostree", "admin", "status", "--sysroot=" + disk.Root).Ok();
        disk.Unmount();
        var story = VirtualMachine.Run(disk, registryPort, scratch, VirtualMachine.Patience);
        Lap($"booted {story.Boots} times");
        output.WriteLine(story.Everything);
        disk.Mount();
        return story;
    }

    private void Lap(string what) => output.WriteLine($"{clock.ElapsedMilliseconds,7} ms: {what}");
}
