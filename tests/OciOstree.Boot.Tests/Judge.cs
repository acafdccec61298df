using System.Text.Json;

namespace OciOstree.Boot.Tests;

/// <summary>What must be true of a machine that booted version 1, went to version 2 and back.</summary>
internal static class Judge
{
    internal static void Life(BootStory story)
    {
        Upgrade(story);
        Goes(story, 2);

        System(story, 3, "1");
        story.Expect(3, "etc hostname", "edited");
        story.Expect(3, "etc motto", "of version 1");
        story.Expect(3, "etc added", "-");
        story.Expect(3, "var-keep", "kept");
    }

    /// <summary>The first two boots of such a life.</summary>
    internal static void Upgrade(BootStory story)
    {
        System(story, 1, "1");
        story.Expect(1, "etc hostname", "mini-1");
        story.Expect(1, "etc removed", "by the owner");
        story.Expect(1, "var-keep", "-");
        Goes(story, 1);

        System(story, 2, "2");
        Assert.NotEqual(story.Deployment(1), story.Deployment(2));
        // What the owner changed stays changed; what only the system changed, follows the system.
        story.Expect(2, "etc hostname", "edited");
        story.Expect(2, "etc local", "mine");
        story.Expect(2, "etc-mode local", "640:12:34");
        story.Expect(2, "etc removed", "-");
        story.Expect(2, "etc motto", "of version 2");
        story.Expect(2, "etc added", "by version 2");
        story.Expect(2, "var-keep", "kept");
    }

    /// <summary>A boot that systemd and our checks found good.</summary>
    internal static void Healthy(BootStory story, int boot)
    {
        story.Expect(boot, "boot-complete", "active");
        story.Expect(boot, "blessed", "active");
        story.Expect(boot, "judgement", "Boot is healthy: 1 required check passed");
    }

    /// <summary>A boot whose last deed is on the way to another system.</summary>
    internal static void Goes(BootStory story, int boot)
    {
        story.ExpectSuccess(boot, "step");
        story.ExpectSuccess(boot, "after");
    }

    internal static void System(BootStory story, int boot, string version)
    {
        story.Expect(boot, "version", version);
        story.Expect(boot, "ostree-booted", "yes");
        story.Expect(boot, "writable /usr", "no");
        story.Expect(boot, "writable /sysroot", "no");
        story.Expect(boot, "writable /etc", "yes");
        story.Expect(boot, "writable /var", "yes");
        story.ExpectSuccess(boot, "status");
        story.ExpectSuccess(boot, "json");
        string json = string.Concat(story.Output(boot, "json"));
        if (json.Length > 0)
        {
            using var status = JsonDocument.Parse(json);
            var booted = status.RootElement.GetProperty("booted");
            Assert.Equal($"ostree-unverified-registry:{VirtualMachine.Registry}/os:{(version == "3" ? "1" : version)}", booted.GetProperty("image").GetProperty("reference").GetString());
        }
    }

    /// <summary>What the machine leaves behind is as sound for the real programs as for ours.</summary>
    internal static void Remains(BootDisk disk, string stateroot, int deployments = 2)
    {
        string repo = disk.Root + "/ostree/repo";
        string[] status = Tool.Run("ostree", "admin", "status", "--sysroot=" + disk.Root).Ok().OutputLines;
        Assert.Equal(deployments, status.Count(line => line.TrimStart(' ', '*').StartsWith(stateroot + " ", StringComparison.Ordinal)));
        Tool.Run("ostree", "fsck", "--repo=" + repo).Ok();
        OurProgram.Run("fsck", "--repo", repo).Ok();
        Assert.DoesNotContain(Directory.GetFileSystemEntries(repo + "/tmp"), path => Path.GetFileName(path).StartsWith("staging-", StringComparison.Ordinal));
    }
}
