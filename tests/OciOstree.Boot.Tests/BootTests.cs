using System.Diagnostics;
using System.Text.Json;
using OciOstree.Linux;
using Xunit.Abstractions;

namespace OciOstree.Boot.Tests;

/// <summary>A machine's life: deployed from an image by our executable, booted by the real <c>ostree-prepare-root</c>, moved to another image from inside, and back.</summary>
public sealed class BootTests(ITestOutputHelper output)
{
    private const string GuestRegistry = "10.0.2.100:5000";
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    [Fact]
    public void A_machine_boots_rebases_itself_and_rolls_back() => PrivateMounts.Run(() =>
    {
        using var scratch = new ScratchDirectory("boot");
        using var registry = RegistryServer.Start(scratch);
        PushVersions(scratch, registry);
        Lap("two images made and pushed");

        using var disk = BootDisk.Create(scratch, "disk", "500M");
        Install(disk, registry);
        Lap("the first deployed");
        disk.Unmount();

        var story = VirtualMachine.Run(disk.Image, registry.Port, scratch, TimeSpan.FromSeconds(110));
        Lap("booted three times");
        output.WriteLine(story.Everything);
        Assert.Equal(3, story.Boots);
        FirstBoot(story);
        SecondBoot(story);
        ThirdBoot(story);

        disk.Mount();
        Afterwards(disk);
        Lap("checked");
    });

    /// <summary>Two versions of one system, as commits and as chunked images.</summary>
    private static void PushVersions(ScratchDirectory scratch, RegistryServer registry)
    {
        var kernel = KernelPackage.Get();
        string repo = scratch["repo"];
        OurProgram.Run("init", "--repo", repo, "--mode=bare").Ok();
        string previous = "";
        foreach (string version in (string[])["1", "2"])
        {
            string tree = scratch.MakeDirectory("tree" + version);
            BootTree.Make(tree, kernel, version, $"ostree-unverified-registry:{GuestRegistry}/mini:2");
            scratch.Write($"tree{version}/usr/etc/hostname", $"mini-{version}\n");
            scratch.Write($"tree{version}/usr/etc/default", $"of version {version}\n");
            scratch.Write($"tree{version}/usr/etc/containers/registries.conf", $"[[registry]]\nlocation = \"{GuestRegistry}\"\ninsecure = true\n");
            scratch.Write($"tree{version}/usr/etc/removed", "by the owner\n");
            if (version == "2")
                scratch.Write("tree2/usr/etc/added", "by version 2\n");
            OurProgram.Run("commit", "--repo", repo, "--branch=mini/" + version, "--tree=dir=" + tree, "--bootable", "--add-metadata-string=version=" + version, "--subject=Mini " + version).Ok();
            string image = $"docker://{registry.Host}/mini:{version}";
            OurProgram.Run("container", "encapsulate", "--repo", repo, "mini/" + version, image).Ok();
            Assert.NotEqual(previous, previous = Tool.Run("skopeo", "inspect", "--tls-verify=false", "--format={{.Digest}}", image).Ok().OutputLine);
        }
    }

    private static void Install(BootDisk disk, RegistryServer registry)
    {
        OurProgram.Run("admin", "init-fs", "--epoch=1", disk.Root).Ok();
        OurProgram.Run("admin", "stateroot-init", "--sysroot", disk.Root, "mini").Ok();
        // The real program sets what an installer would: that way it also has read our configuration.
        string repo = disk.Root + "/ostree/repo";
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.bootloader", "syslinux").Ok();
        Tool.Run("ostree", "--repo=" + repo, "config", "set", "sysroot.readonly", "true").Ok();
        disk.InstallExtlinux();
        OurProgram.Run("deploy", "--sysroot", disk.Root, "--stateroot", "mini",
            "--imgref", $"ostree-unverified-registry:{registry.Host}/mini:1", "--target-imgref", $"ostree-unverified-registry:{GuestRegistry}/mini:1",
            "--karg=root=LABEL=" + BootDisk.Label, "--karg=rw", "--karg=console=ttyS0", "--karg=quiet").Ok();
        Tool.Run("ostree", "admin", "status", "--sysroot=" + disk.Root).Ok();
    }

    private static void FirstBoot(BootStory story)
    {
        ExpectSystem(story, 1, "1");
        story.Expect(1, "etc hostname", "mini-1");
        story.Expect(1, "etc removed", "by the owner");
        story.Expect(1, "var-keep", "-");
        story.ExpectSuccess(1, "rebase");
        story.ExpectSuccess(1, "after");
        Assert.Contains(story.Output(1, "after"), line => line.Contains($"{GuestRegistry}/mini:2"));
    }

    private static void SecondBoot(BootStory story)
    {
        ExpectSystem(story, 2, "2");
        Assert.NotEqual(story.Deployment(1), story.Deployment(2));
        // What the owner changed stays changed; what only the image changed, follows the image.
        story.Expect(2, "etc hostname", "edited");
        story.Expect(2, "etc local", "mine");
        story.Expect(2, "etc-mode local", "640:12:34");
        story.Expect(2, "etc removed", "-");
        story.Expect(2, "etc default", "of version 2");
        story.Expect(2, "etc added", "by version 2");
        story.Expect(2, "var-keep", "kept");
        story.ExpectSuccess(2, "rollback");
    }

    private static void ThirdBoot(BootStory story)
    {
        ExpectSystem(story, 3, "1");
        story.Expect(3, "etc hostname", "edited");
        story.Expect(3, "etc default", "of version 1");
        story.Expect(3, "etc added", "-");
        story.Expect(3, "var-keep", "kept");
    }

    private static void ExpectSystem(BootStory story, int boot, string version)
    {
        story.Expect(boot, "version", version);
        story.Expect(boot, "ostree-booted", "yes");
        story.Expect(boot, "writable /usr", "no");
        story.Expect(boot, "writable /sysroot", "no");
        story.Expect(boot, "writable /etc", "yes");
        story.Expect(boot, "writable /var", "yes");
        story.ExpectSuccess(boot, "status");
        story.ExpectSuccess(boot, "json");
        // The machine knows what it runs.
        using var status = JsonDocument.Parse(string.Concat(story.Output(boot, "json")));
        Assert.Contains($"mini:{version}", status.RootElement.GetRawText());
    }

    /// <summary>What the machine leaves behind is as sound for the real programs as for ours.</summary>
    private static void Afterwards(BootDisk disk)
    {
        string repo = disk.Root + "/ostree/repo";
        string[] status = Tool.Run("ostree", "admin", "status", "--sysroot=" + disk.Root).Ok().OutputLines;
        Assert.Equal(2, status.Count(line => line.TrimStart(' ', '*').StartsWith("mini ", StringComparison.Ordinal)));
        Tool.Run("ostree", "fsck", "--repo=" + repo).Ok();
        OurProgram.Run("fsck", "--repo", repo).Ok();
        Assert.DoesNotContain(Directory.GetFileSystemEntries(repo + "/tmp"), path => Path.GetFileName(path).StartsWith("staging-", StringComparison.Ordinal));
    }

    private void Lap(string what) => output.WriteLine($"{_clock.ElapsedMilliseconds,7} ms: {what}");
}
