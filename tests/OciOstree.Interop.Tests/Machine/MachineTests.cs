using System.Text.Json;

namespace OciOstree.Interop.Tests.Machine;

/// <summary>The words of a machine's owner, on the sysroot of a machine that is not running, with images in an OCI directory.</summary>
public sealed partial class MachineTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("machine");

    public void Dispose() => scratch.Dispose();

    private string Sysroot => scratch["sysroot"];

    private string Follows => $"ostree-unverified-image:oci:{scratch["images"]}:os";

    [Fact]
    public void A_machine_is_deployed_upgraded_and_rolled_back()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        string root = Assert.Single(Directory.GetDirectories(Sysroot + "/ostree/deploy/os/deploy"));
        File.WriteAllText(root + "/etc/name", "mine");
        Assert.Equal("No update available.", Ours("upgrade", "--check").Ok().OutputLine);
        Assert.Contains("deployed already", Ours("upgrade").Ok().Output);
        Assert.Contains("There is no deployment to roll back to", Ours("rollback").Failed().Error);

        PushVersion("2");
        using (var check = JsonDocument.Parse(Ours("upgrade", "--check", "--json").Ok().Output))
        {
            Assert.True(check.RootElement.GetProperty("update").GetBoolean());
            Assert.Equal("2", check.RootElement.GetProperty("version").GetString());
            int all = int.Parse(Tool.Shell($"skopeo inspect --raw oci:{scratch["images"]}:os | jq '.layers | length'").Ok().OutputLine, null);
            Assert.InRange(check.RootElement.GetProperty("layersToFetch").GetInt32(), 1, all);
            Assert.InRange(check.RootElement.GetProperty("bytesToFetch").GetInt64(), 1, 100_000_000);
        }
        // What was seen is remembered until it is there.
        Assert.Contains("Update:", Ours("status").Ok().Output);
        Assert.Equal(["1"], Versions());

        Ours("upgrade").Ok();
        Assert.Equal(["2", "1"], Versions());
        Assert.DoesNotContain("Update:", Ours("status").Ok().Output);
        string second = Directory.GetDirectories(Sysroot + "/ostree/deploy/os/deploy").Single(directory => directory != root);
        Assert.Equal("mine", File.ReadAllText(second + "/etc/name"));
        Assert.Equal("of version 2", File.ReadAllText(second + "/etc/default"));

        Ours("rollback").Ok();
        Assert.Equal(["1", "2"], Versions());
        Ours("rollback").Ok();
        Assert.Equal(["2", "1"], Versions());
        Assert.Equal(2, Tool.Run("ostree", "admin", "status", "--sysroot=" + Sysroot).Ok().OutputLines.Count(line => line.TrimStart().StartsWith("os ", StringComparison.Ordinal)));
        Tool.Run("ostree", "fsck", "--repo=" + Sysroot + "/ostree/repo").Ok();
    }

    [Fact]
    public void What_no_deployment_follows_is_forgotten()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        PushVersion("2", tag: "other");
        PushVersion("3", tag: "third");
        Ours("rebase", $"ostree-unverified-image:oci:{scratch["images"]}:other").Ok();
        Ours("rebase", $"ostree-unverified-image:oci:{scratch["images"]}:third").Ok();
        Assert.Equal(["3", "2"], Versions());
        string[] images = OurProgram.Run("container", "image", "list", "--repo", Sysroot + "/ostree/repo").Ok().OutputLines;
        Assert.Equal(2, images.Length);
        Assert.DoesNotContain(images, image => image.EndsWith(":os", StringComparison.Ordinal));
        // The boot entries' kernels went with their deployment.
        Assert.Equal(2, Directory.GetDirectories(Sysroot + "/boot/ostree").Length);
    }

    [Fact]
    public void What_cannot_be_done_is_one_line_and_changes_nothing()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        string images = scratch["images"];
        PushVersion("2", tag: "kernelless", kernel: false);
        PushVersion("3", tag: "damaged");
        Damage("damaged");
        string[] before = State();
        foreach (var (arguments, reason) in new (string[], string)[]
        {
            (["rebase", "quay.io/os:latest"], "invalid ostree image reference"),
            (["rebase", "nonsense:quay.io/os:latest"], "nonsense"),
            (["rebase", $"ostree-unverified-image:oci:{images}:missing"], "missing"),
            (["rebase", $"ostree-unverified-image:oci:{scratch["nowhere"]}:os"], "nowhere"),
            (["rebase", $"ostree-unverified-image:oci:{images}:kernelless"], "kernelless"),
            (["rebase", $"ostree-unverified-image:oci:{images}:damaged"], "damaged"),
            (["upgrade", "--stateroot", "unknown"], "unknown"),
            (["rollback"], "roll back"),
        })
        {
            var result = Ours(arguments).Failed();
            string error = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.StartsWith("error: ", StringComparison.Ordinal));
            Assert.Contains(reason, error);
            Assert.DoesNotContain("   at ", result.Error);
            Assert.Equal(before, State());
        }
        Assert.Equal(["1"], Versions());
        Tool.Run("ostree", "fsck", "--repo=" + Sysroot + "/ostree/repo").Ok();
    }

    [Fact]
    public void A_machine_of_plain_commits_says_what_to_do_instead()
    {
        MakeSysroot();
        Commit("1", kernel: true);
        OurProgram.Run("pull-local", "--repo", Sysroot + "/ostree/repo", scratch["repo"], "os/1").Ok();
        OurProgram.Run("admin", "deploy", "--sysroot", Sysroot, "--os=os", "os/1").Ok();
        Assert.Contains("ostree admin upgrade", Ours("upgrade").Failed().Error);
        Assert.Contains("os/1", Ours("status").Ok().Output);
        PushVersion("2");
        Ours("rebase", Follows).Ok();
        Assert.Equal(["2", "1"], Versions());
    }

    [Fact]
    public void A_full_disk_stops_an_upgrade_and_changes_nothing()
    {
        Directory.CreateDirectory(Sysroot);
        Tool.Run("truncate", "-s", "24M", scratch["disk"]).Ok();
        Tool.Run("mkfs.ext4", "-q", scratch["disk"]).Ok();
        Tool.Run("mount", "-o", "loop", scratch["disk"], Sysroot).Ok();
        try
        {
            MakeSysroot();
            PushVersion("1");
            Deploy();
            byte[] large = new byte[40 << 20];
            new Random(7).NextBytes(large);
            scratch.MakeDirectory("tree2/usr/lib");
            File.WriteAllBytes(scratch["tree2/usr/lib/large"], large);
            PushVersion("2");
            string[] before = State();
            var result = Ours("upgrade").Failed();
            Assert.Matches("No space left on device|min-free-space", result.Error);
            Assert.Equal(before, State());
            Tool.Run("ostree", "fsck", "--repo=" + Sysroot + "/ostree/repo").Ok();
            // Nor did it take the room that something smaller would need.
            File.Delete(scratch["tree2/usr/lib/large"]);
            PushVersion("3");
            Ours("upgrade").Ok();
            Assert.Equal(["3", "1"], Versions());
        }
        finally
        {
            Tool.Run("umount", Sysroot).Ok();
        }
    }

    private ToolResult Ours(params string[] arguments) => OurProgram.Run([.. arguments, "--sysroot", Sysroot]);

    private void MakeSysroot()
    {
        Directory.CreateDirectory(Sysroot);
        OurProgram.Run("admin", "init-fs", "--epoch=1", Sysroot).Ok();
        OurProgram.Run("admin", "stateroot-init", "--sysroot", Sysroot, "os").Ok();
    }

    private void Deploy() => Ours("deploy", "--stateroot", "os", "--imgref", Follows, "--karg=root=LABEL=root").Ok();

    /// <summary>The versions in boot order.</summary>
    private string[] Versions()
    {
        using var status = JsonDocument.Parse(Ours("status", "--json").Ok().Output);
        return [.. status.RootElement.GetProperty("deployments").EnumerateArray().Select(deployment => deployment.GetProperty("version").GetString()!)];
    }

    private void PushVersion(string version, string tag = "os", bool kernel = true, string? date = null)
    {
        Commit(version, kernel, date);
        OurProgram.Run("container", "encapsulate", "--repo", scratch["repo"], "os/" + version, $"oci:{scratch["images"]}:{tag}").Ok();
    }

    private void Commit(string version, bool kernel, string? date = null)
    {
        string tree = "tree" + version;
        scratch.Write(tree + "/usr/lib/os-release", $"ID=os\nVERSION_ID={version}\nPRETTY_NAME=\"OS {version}\"\n");
        scratch.Write(tree + "/usr/lib/version", version);
        scratch.Write(tree + "/usr/etc/name", "os");
        scratch.Write(tree + "/usr/etc/default", "of version " + version);
        scratch.Write(tree + "/usr/share/same", "in every version");
        if (kernel)
        {
            scratch.Write(tree + "/usr/lib/modules/6.1/vmlinuz", "kernel " + version);
            scratch.Write(tree + "/usr/lib/modules/6.1/initramfs.img", "initramfs " + version);
        }
        foreach (string directory in (string[])["boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var"])
            scratch.MakeDirectory(tree + "/" + directory);
        if (!Directory.Exists(scratch["repo"]))
            OurProgram.Run("init", "--repo", scratch["repo"], "--mode=bare").Ok();
        string[] bootable = kernel ? ["--bootable"] : [];
        OurProgram.Run(["commit", "--repo", scratch["repo"], "--branch=os/" + version, "--tree=dir=" + scratch[tree], "--add-metadata-string=version=" + version, .. bootable, .. date is null ? (string[])[] : ["--timestamp=" + date]]).Ok();
    }

    /// <summary>Turns a bit of the last layer of an image.</summary>
    private void Damage(string tag)
    {
        string digest = Tool.Shell($"skopeo inspect --raw oci:{scratch["images"]}:{tag} | jq -r '.layers[0].digest'").Ok().OutputLine;
        string blob = $"{scratch["images"]}/blobs/sha256/{digest["sha256:".Length..]}";
        byte[] bytes = File.ReadAllBytes(blob);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(blob, bytes);
    }

    /// <summary>All that a boot or a user of the repository could see.</summary>
    private string[] State() =>
    [
        .. TreeSnapshot.Of(Sysroot + "/boot", SnapshotDetails.All),
        .. TreeSnapshot.Of(Sysroot + "/ostree/deploy", SnapshotDetails.Default),
        .. TreeSnapshot.Of(Sysroot + "/ostree/repo/refs"),
        .. Tool.Shell($"cd {Sysroot}/ostree && ls -d boot.* && readlink boot.?").Ok().OutputLines,
    ];
}
