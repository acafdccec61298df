using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>Images out of repositories and back, through the hands of the programs that move images.</summary>
public class ImageVerbTests
{
    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];

    private static string[] DiffIds(string image) => Strings(Json(Tool.Run("skopeo", "inspect", "--config", image).Ok().Output).GetProperty("rootfs").GetProperty("diff_ids"));

    [Fact]
    public void An_image_goes_round_and_stays_what_it_is()
    {
        using var scratch = new ScratchDirectory();
        using var engine = new ContainerEngine(scratch);
        TreeBuilder.Build(scratch["tree/usr/share/nasty"]);
        scratch.Write("tree/usr/etc/conf", "default\n");
        scratch.Write("tree/usr/bin/tool", "tool\n");
        Tool.Run("ostree", "init", "--repo", scratch["build"], "--mode=bare").Ok();
        string commit = Tool.Run("ostree", "commit", "--repo", scratch["build"], "-b", "os", "--tree=dir=" + scratch["tree"]).Ok().OutputLine;
        OurProgram.Run("container", "encapsulate", "--repo=" + scratch["build"], "os", $"oci:{scratch["base"]}:1", "--quiet").Ok();
        scratch.Write("context/new", "new\n");
        engine.Build(scratch.Write("context/Containerfile", $"FROM oci:{scratch["base"]}:1\nCOPY new /usr/bin/new\nCOPY new /etc/conf\n"), $"oci:{scratch["derived"]}:1");

        // Into a repository, out of it, through skopeo, and into another.
        Pull("one", $"oci:{scratch["derived"]}:1");
        Assert.StartsWith("Exported: sha256:", OurProgram.Run("container", "image", "reexport", "--repo=" + scratch["one"], $"oci:{scratch["derived"]}:1", $"oci-archive:{scratch["again.tar"]}:1").Ok().OutputLine);
        Tool.Run("skopeo", "copy", $"oci-archive:{scratch["again.tar"]}:1", $"oci:{scratch["moved"]}:1").Ok();
        Pull("two", $"oci:{scratch["moved"]}:1");
        string[] before = DiffIds($"oci:{scratch["derived"]}:1"), after = DiffIds($"oci:{scratch["moved"]}:1");
        string[] ofBase = DiffIds($"oci:{scratch["base"]}:1");
        Assert.Equal(ofBase, after[..ofBase.Length]);
        Assert.Equal(before.Length, after.Length);
        Assert.Equal(Merged("one"), Merged("two"));
        Tool.Run("ostree", "fsck", "--repo", scratch["two"]).Ok();

        // Signed, it has the same commit.
        string meta = scratch.Write("meta", "");
        File.WriteAllBytes(meta, [.. "k\0\0\0\0\0\0\0x\0\0s"u8, 2, 13]);
        OurProgram.Run("container", "image", "replace-detached-metadata", $"--src=oci:{scratch["moved"]}:1", $"--dest=oci:{scratch["sealed"]}:1", meta).Ok();
        Tool.Run("skopeo", "copy", $"oci:{scratch["sealed"]}:1", $"dir:{scratch["dir"]}").Ok();
        Pull("three", $"dir:{scratch["dir"]}");
        Assert.Equal("'x'", Tool.Run("ostree", "show", "--repo", scratch["three"], "--print-detached-metadata-key=k", commit).Ok().OutputLine);
        Assert.Equal(Merged("one"), Merged("three"));

        // Pushed, with skopeo as the judge.
        using RegistryServer registry = RegistryServer.Start(scratch);
        string pushed = OurProgram.Run("container", "image", "push", "--repo=" + scratch["two"], $"oci:{scratch["moved"]}:1", $"docker://{registry.Host}/os:1", "--tls-verify=false", "--quiet").Ok().OutputLine;
        Assert.Equal(pushed, "Pushed: " + Json(Tool.Run("skopeo", "inspect", "--tls-verify=false", $"docker://{registry.Host}/os:1").Ok().Output).GetProperty("Digest").GetString());

        void Pull(string repo, string image)
        {
            Tool.Run("ostree", "init", "--repo", scratch[repo], "--mode=bare").Ok();
            OurProgram.Run("container", "image", "pull", scratch[repo], "ostree-unverified-image:" + image, "--quiet").Ok();
        }

        string Merged(string repo)
        {
            string name = Tool.Run("ostree", "refs", "--repo", scratch[repo], "--list", "ostree/container/image").Ok().OutputLine;
            return Tool.Run("ostree", "ls", "-RCX", "--repo", scratch[repo], name).Ok().Output;
        }
    }

    [Fact]
    public void A_commit_goes_through_a_pipe()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree"]);
        Tool.Run("ostree", "init", "--repo", scratch["repo"], "--mode=archive").Ok();
        Tool.Run("ostree", "init", "--repo", scratch["other"], "--mode=bare").Ok();
        string commit = Tool.Run("ostree", "commit", "--repo", scratch["repo"], "-b", "os", "--tree=dir=" + scratch["tree"]).Ok().OutputLine;
        string imported = Tool.Shell($"{OurProgram.Path()} tar export --repo=repo os | {OurProgram.Path()} tar import --repo=other", scratch.Path).Ok().OutputLine;
        Assert.Equal("Imported: " + commit, imported);
        Tool.Run("ostree", "fsck", "--repo", scratch["other"]).Ok();
        Assert.Equal(
            Tool.Run("ostree", "ls", "-RCX", "--repo", scratch["repo"], "os").Ok().Output,
            Tool.Run("ostree", "ls", "-RCX", "--repo", scratch["other"], commit).Ok().Output);
        Assert.Equal(1, Tool.Shell($"head -c 100000 repo/config | {OurProgram.Path()} tar import --repo=other", scratch.Path).ExitCode);
    }

    [Fact]
    public void Packages_are_compared_where_the_images_are()
    {
        using var scratch = new ScratchDirectory();
        Tool.Run("ostree", "init", "--repo", scratch["repo"], "--mode=bare").Ok();
        foreach (string version in new[] { "1", "2" })
        {
            scratch.Write("tree/usr/lib/sysimage/dpkg/status", $"Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n\n" + (version == "2" ? "Package: more\nStatus: install ok installed\nArchitecture: all\nVersion: 3\n" : ""));
            scratch.Write("tree/usr/lib/sysimage/dpkg/info/tool.list", "/usr/bin/tool\n");
            scratch.Write("tree/usr/bin/tool", version);
            Tool.Run("ostree", "commit", "--repo", scratch["repo"], "-b", "os", "--tree=dir=" + scratch["tree"]).Ok();
            OurProgram.Run("container", "encapsulate", "--repo=" + scratch["repo"], "os", $"oci:{scratch["image"]}:{version}", "--quiet").Ok();
        }

        string[] images = [$"oci:{scratch["image"]}:1", $"oci:{scratch["image"]}:2"];
        string text = OurProgram.Run(["container", "compare", .. images]).Ok().Output;
        Assert.StartsWith("Total new layers: ", text);
        Assert.Contains("  tool 1 -> 2\n  + more 3\n", text);
        JsonElement json = Json(OurProgram.Run(["container", "compare", "--json", .. images]).Ok().Output);
        Assert.Equal("tool", json.GetProperty("packages").GetProperty("updated")[0].GetProperty("name").GetString());
        Assert.True(json.GetProperty("layers").GetProperty("bytesToFetch").GetInt64() > 0);

        // The same from a repository.
        OurProgram.Run("init", "--repo=" + scratch["store"], "--mode=bare").Ok();
        foreach (string image in images)
        {
            OurProgram.Run("container", "image", "pull", scratch["store"], "ostree-unverified-image:" + image, "--quiet").Ok();
        }

        Assert.Equal(text, OurProgram.Run(["container", "compare", "--repo=" + scratch["store"], .. images]).Ok().Output);
        string info = OurProgram.Run("container", "info", images[0]).Ok().Output;
        string digest = Json(Tool.Run("skopeo", "inspect", images[0]).Ok().Output).GetProperty("Digest").GetString()!;
        Assert.StartsWith($"{images[0]} digest: {digest}\n", info);
        Assert.Contains("chunk ", info);
        Assert.Contains("tool", OurProgram.Run("container", "info", "--repo=" + scratch["store"], "--json", images[0]).Ok().Output);
    }

    [Fact]
    public void Layers_that_skopeo_compressed_in_parts_are_read()
    {
        using var scratch = new ScratchDirectory();
        TreeBuilder.Build(scratch["tree/usr/share/nasty"]);
        Tool.Run("ostree", "init", "--repo", scratch["repo"], "--mode=bare").Ok();
        string commit = Tool.Run("ostree", "commit", "--repo", scratch["repo"], "-b", "os", "--tree=dir=" + scratch["tree"]).Ok().OutputLine;
        OurProgram.Run("container", "encapsulate", "--repo=" + scratch["repo"], "os", $"oci:{scratch["image"]}:1", "--quiet").Ok();
        Tool.Run("skopeo", "copy", "--dest-decompress", $"oci:{scratch["image"]}:1", $"dir:{scratch["raw"]}").Ok();
        Tool.Run("skopeo", "copy", "--dest-compress", "--dest-compress-format", "zstd:chunked", $"dir:{scratch["raw"]}", $"oci:{scratch["chunked"]}:1").Ok();
        Assert.Contains("zstd-chunked.manifest-position", Tool.Run("skopeo", "inspect", "--raw", $"oci:{scratch["chunked"]}:1").Ok().Output);

        Tool.Run("ostree", "init", "--repo", scratch["store"], "--mode=bare").Ok();
        string pulled = OurProgram.Run("container", "image", "pull", scratch["store"], $"ostree-unverified-image:oci:{scratch["chunked"]}:1", "--quiet").Ok().OutputLine;
        Assert.Equal(
            Tool.Run("ostree", "ls", "-RCX", "--repo", scratch["repo"], commit).Ok().Output,
            Tool.Run("ostree", "ls", "-RCX", "--repo", scratch["store"], pulled[(pulled.LastIndexOf(' ') + 1)..]).Ok().Output);
        Tool.Run("ostree", "fsck", "--repo", scratch["store"]).Ok();

        // Exported again it has the layers that it was made with.
        OurProgram.Run("container", "image", "reexport", "--quiet", "--repo=" + scratch["store"], $"oci:{scratch["chunked"]}:1", $"oci:{scratch["again"]}:1").Ok();
        Assert.Equal(DiffIds($"oci:{scratch["image"]}:1"), DiffIds($"oci:{scratch["again"]}:1"));
    }
}
