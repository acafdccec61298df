using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>Images that we make of commits, in the hands of the programs that images are for.</summary>
public class EncapsulateTests
{
    private const string Timestamp = "2026-01-02 03:04:05Z";

    /// <summary>Commits a tree with the real ostree.</summary>
    private static string Commit(ScratchDirectory scratch, string tree = "tree", string branch = "test", string repo = "repo", string mode = "bare")
    {
        if (!Directory.Exists(scratch[repo]))
        {
            Tool.Run("ostree", "init", "--repo", scratch[repo], "--mode=" + mode).Ok();
        }

        return Tool.Run("ostree", "commit", "--repo", scratch[repo], "-b", branch, "--tree=dir=" + scratch[tree], "-s", "A test", "--timestamp=" + Timestamp).Ok().OutputLine;
    }

    private static string Encapsulate(ScratchDirectory scratch, string destination, params string[] options)
        => OurProgram.Run(["container", "encapsulate", "--repo=" + scratch["repo"], "test", destination, "--quiet", .. options]).Ok().OutputLine;

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static string[] LayerDigests(string image) => [.. Json(Tool.Run("skopeo", "inspect", "--raw", image).Ok().Output).GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("digest").GetString()!)];

    [Theory]
    [InlineData("64")]
    [InlineData("1")]
    public void Umoci_unpacks_the_tree_that_was_committed(string maxLayers)
    {
        using var scratch = new ScratchDirectory();
        // umoci knows no xattrs from the layers, which keep them beside the files.
        TreeBuilder.Build(scratch["tree/usr/nasty"], shape: new TreeShape { Xattrs = false });
        scratch.Write("tree/usr/etc/conf", "default\n");
        Commit(scratch);
        Encapsulate(scratch, $"oci:{scratch["image"]}:latest", "--max-layers=" + maxLayers);
        Tool.Run("umoci", "unpack", "--image", scratch["image"] + ":latest", scratch["bundle"]).Ok();
        TreeSnapshot.AssertEqual(scratch["tree/usr/nasty"], scratch["bundle/rootfs/usr/nasty"], SnapshotDetails.Owners);
        Assert.Equal("default\n", File.ReadAllText(scratch["bundle/rootfs/etc/conf"]));
    }

    [Fact]
    public void Skopeo_copies_the_image_and_a_registry_serves_it()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree/usr"]);
        string commit = Commit(scratch);
        using RegistryServer registry = RegistryServer.Start(scratch);
        string image = $"docker://{registry.Host}/test/os:1";
        string digest = Encapsulate(scratch, image, "--tls-verify=false", "--label=a=b", "-l", "c=d=e");

        JsonElement inspected = Json(Tool.Run("skopeo", "inspect", "--tls-verify=false", image).Ok().Output);
        Assert.Equal(digest, inspected.GetProperty("Digest").GetString());
        Assert.Equal(commit, inspected.GetProperty("Labels").GetProperty("ostree.commit").GetString());
        Assert.Equal("b", inspected.GetProperty("Labels").GetProperty("a").GetString());
        Assert.Equal("d=e", inspected.GetProperty("Labels").GetProperty("c").GetString());
        Assert.Equal("2026-01-02T03:04:05Z", inspected.GetProperty("Created").GetString());

        foreach (string to in new[] { $"dir:{scratch["dir"]}", $"oci:{scratch["oci"]}:x", $"docker-archive:{scratch["docker.tar"]}:x:y", $"oci-archive:{scratch["oci.tar"]}:x" })
        {
            Tool.Run("skopeo", "copy", "--src-tls-verify=false", image, to).Ok();
        }

        Assert.Equal(digest, Json(Tool.Run("skopeo", "inspect", $"oci-archive:{scratch["oci.tar"]}:x").Ok().Output).GetProperty("Digest").GetString());
    }

    [Fact]
    public void The_digest_is_the_same_on_every_run_and_everywhere()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree/usr"]);
        Commit(scratch);
        Tool.Run("ostree", "init", "--repo", scratch["archive"], "--mode=archive").Ok();
        Tool.Run("ostree", "pull-local", "--repo", scratch["archive"], scratch["repo"], "test").Ok();
        using RegistryServer registry = RegistryServer.Start(scratch);
        HashSet<string> digests =
        [
            Encapsulate(scratch, $"oci:{scratch["a"]}"),
            Encapsulate(scratch, $"oci:{scratch["b"]}:tag"),
            Encapsulate(scratch, $"oci-archive:{scratch["c"]}"),
            Encapsulate(scratch, $"dir:{scratch["d"]}"),
            Encapsulate(scratch, $"registry:{registry.Host}/x:y", "--tls-verify=false"),
            OurProgram.Ostree("container", "encapsulate", "--quiet", "--repo=" + scratch["archive"], "test", $"oci:{scratch["e"]}").Ok().OutputLine,
            Tool.Run("taskset", "-c", "0", OurProgram.Path(), "container", "export", "--quiet", "--repo=" + scratch["repo"], "test", $"oci:{scratch["f"]}").Ok().OutputLine,
            Tool.Run(OurProgram.Path("ostree-container"), "encapsulate", "--quiet", "--repo=" + scratch["repo"], "test", $"oci:{scratch["g"]}").Ok().OutputLine,
        ];
        Assert.Single(digests);
        Assert.StartsWith("sha256:", digests.Single());
    }

    [Fact]
    public void What_a_registry_has_is_not_sent_again()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree/usr"]);
        Commit(scratch);
        using RegistryServer registry = RegistryServer.Start(scratch);
        string[] arguments = ["container", "encapsulate", "--json", "--tls-verify=false", "--repo=" + scratch["repo"], "test", $"docker://{registry.Host}/x:y"];
        JsonElement first = Json(OurProgram.Run(arguments).Ok().Output);
        JsonElement second = Json(OurProgram.Run(arguments).Ok().Output);
        Assert.Equal(first.GetProperty("digest").GetString(), second.GetProperty("digest").GetString());
        Assert.True(first.GetProperty("bytesSent").GetInt64() > 100_000);
        Assert.True(second.GetProperty("bytesSent").GetInt64() < 10_000, $"sent {second.GetProperty("bytesSent")} bytes again");
    }

    [Fact]
    public void An_update_keeps_the_layers_of_what_did_not_change()
    {
        using var scratch = new ScratchDirectory();
        for (int i = 0; i < 90; i++)
        {
            scratch.Write($"tree/usr/share/part{i}/file", new string((char)('!' + i), 100 * (i + 1)));
        }

        Commit(scratch);
        Encapsulate(scratch, $"oci:{scratch["image"]}:1", "--max-layers=20");
        string[] before = LayerDigests($"oci:{scratch["image"]}:1");
        Assert.InRange(before.Length, 8, 20);

        scratch.Write("tree/usr/share/part30/file", "changed a lot " + new string('x', 50_000));
        scratch.Write("tree/usr/share/new/file", "new");
        Directory.Delete(scratch["tree/usr/share/part50"], recursive: true);
        Commit(scratch);
        File.WriteAllText(scratch["prior.json"], Tool.Run("skopeo", "inspect", "--raw", $"oci:{scratch["image"]}:1").Ok().Output);
        Encapsulate(scratch, $"oci:{scratch["image"]}:2", "--max-layers=20", "--previous-build-manifest=" + scratch["prior.json"]);
        string[] after = LayerDigests($"oci:{scratch["image"]}:2");

        // The commit's own layer, the two layers of the changed parts, and the one kept for new ones.
        Assert.Equal(before.Length, after.Length);
        Assert.InRange(after.Except(before).Count(), 3, 4);
    }

    [Fact]
    public void Buildah_builds_on_the_image()
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("tree/usr/bin");
        Tool.Shell("cp /usr/bin/busybox usr/bin; ln -s usr/bin bin; ln -s busybox usr/bin/sh; mkdir -p usr/etc var tmp; echo base >usr/etc/name; echo gone >usr/bin/gone; chmod 1777 tmp", scratch["tree"]).Ok();
        string commit = Commit(scratch);
        Encapsulate(scratch, $"oci:{scratch["image"]}:base");
        scratch.Write("Containerfile", $"""
            FROM oci:{scratch["image"]}:base
            RUN ["/bin/sh", "-c", "busybox cat /etc/name >/usr/bin/seen && echo derived >/etc/name && busybox rm /usr/bin/gone"]
            """);
        string[] storage = ["--root", scratch["storage"], "--runroot", scratch["run"], "--storage-driver", "vfs"];
        Tool.Run("buildah", [.. storage, "bud", "--isolation", "chroot", "--network", "host", "-q", "-t", "derived", "-f", scratch["Containerfile"], scratch.MakeDirectory("context")]).Ok();
        Tool.Run("buildah", [.. storage, "push", "-q", "derived", $"oci:{scratch["derived"]}:latest"]).Ok();

        OurProgram.Ostree("init", "--repo=" + scratch["target"], "--mode=bare-user").Ok();
        OurProgram.Run("container", "image", "pull", scratch["target"], $"ostree-unverified-image:oci:{scratch["derived"]}:latest", "--quiet").Ok();
        string merged = Assert.Single(Tool.Run("ostree", "refs", "--repo", scratch["target"], "--list", "ostree/container/image").Ok().OutputLines);
        string Cat(string path) => Tool.Run("ostree", "cat", "--repo", scratch["target"], merged, path).Ok().Output;
        Assert.Equal("base\n", Cat("/usr/bin/seen"));
        Assert.Equal("derived\n", Cat("/usr/etc/name"));
        Tool.Run("ostree", "cat", "--repo", scratch["target"], merged, "/usr/bin/gone").Failed();
        Tool.Run("ostree", "show", "--repo", scratch["target"], commit).Ok();
    }

    [Fact]
    public void Mistakes_are_told_in_one_line_and_leave_nothing()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/usr/a", "a");
        Commit(scratch);
        string[] Said(params string[] arguments)
        {
            ToolResult result = OurProgram.Run(["container", "encapsulate", "--repo=" + scratch["repo"], .. arguments]);
            Assert.NotEqual(0, result.ExitCode);
            return result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }

        string to = $"oci:{scratch["out"]}:x";
        Assert.Contains("nosuchref", Assert.Single(Said("nosuchref", to)));
        Assert.Contains("nokey", Assert.Single(Said("test", to, "--copymeta=nokey")));
        Assert.StartsWith("error: ", Assert.Single(Said("test", "strange:reference")));
        scratch.Write("bad.json", "{\"version\":3}");
        Assert.Contains("version 3", Assert.Single(Said("test", to, "--contentmeta=" + scratch["bad.json"])));
        Assert.Contains("bad.json", Assert.Single(Said("test", to, "--previous-build-manifest=" + scratch["bad.json"])));
        Assert.Contains("missing.json", Assert.Single(Said("test", to, "--config=" + scratch["missing.json"])));
        Assert.Contains("label", Said("test", to, "--label=noequals")[0]);
        Assert.Contains("--max-layers", Said("test", to, "--max-layers=0")[0]);
        Assert.Contains("compression", Said("test", to, "--compression=brotli")[0]);
        Assert.False(File.Exists(scratch["out/index.json"]) && File.ReadAllText(scratch["out/index.json"]).Contains("sha256"));
    }
}
