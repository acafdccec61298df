using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>One image in every form in which it may come: each is the same tree, and what came in one form is not fetched in another.</summary>
public sealed class ImageFormTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("form");

    public void Dispose() => scratch.Dispose();

    private static string Golden(string name) => "oci-archive:" + Path.Combine(OurProgram.CheckoutRoot, "tests/OciOstree.Container.Tests/golden", name + ".ociarchive");

    private string Init(string name, string mode = "bare")
    {
        Tool.Run("ostree", "init", $"--repo={scratch[name]}", $"--mode={mode}").Ok();
        return scratch[name];
    }

    private static JsonElement Pull(string repo, string image, params string[] options) =>
        JsonDocument.Parse(OurProgram.Run(["container", "image", "pull", repo, "ostree-unverified-image:" + image, "--quiet", "--json", .. options]).Ok().Output).RootElement;

    // The checksums of the root's content and metadata.
    private static string Root(string repo, JsonElement pulled) => Tool.Run("ostree", $"--repo={repo}", "ls", "-dC", pulled.GetProperty("commit").GetString()!).Ok().OutputLine;

    [Fact]
    public void Every_form_is_the_same_tree()
    {
        string original = Golden("alpha-derived"), repo = Init("repo");
        string expected = Root(repo, Pull(repo, original));
        (string Image, string[] Options)[] forms =
        [
            ($"dir:{scratch["docker"]}", ["--format", "v2s2"]),
            ($"dir:{scratch["plain"]}", ["--dest-decompress"]),
            ($"oci:{scratch["zstd"]}:1", ["--dest-compress", "--dest-compress-format", "zstd"]),
            ($"oci:{scratch["chunked"]}:1", ["--dest-compress", "--dest-compress-format", "zstd:chunked"]),
            ($"docker-archive:{scratch["docker.tar"]}:example.com/os:1", []),
        ];
        foreach ((string image, string[] options) in forms)
        {
            // zstd from plain layers: skopeo does not recompress what is compressed.
            string from = options.Contains("--dest-compress") ? $"dir:{scratch["plain"]}" : original;
            Tool.Run("skopeo", ["copy", "--quiet", .. options, from, image]).Ok();
            string alone = Init("alone-" + image.Split(':')[1].Split('/')[^1], "archive");
            Assert.Equal(expected, Root(alone, Pull(alone, image)));

            // Beside the first it brings a name only: the layers have the same content.
            JsonElement again = Pull(repo, image);
            Assert.Equal(expected, Root(repo, again));
            Assert.True(!again.GetProperty("changed").GetBoolean() || again.GetProperty("layersFetched").GetInt32() == 0, again.ToString());
        }

        Assert.Equal(2, Directory.EnumerateFiles(scratch["docker"], "manifest.json").Concat(Directory.EnumerateFiles(scratch["plain"], "manifest.json")).Count());
        Assert.Contains("distribution.manifest.v2", File.ReadAllText(scratch["docker/manifest.json"]));
        Assert.Contains("+zstd", Tool.Run("skopeo", "inspect", "--raw", $"oci:{scratch["zstd"]}:1").Ok().Output);
        Assert.Contains("zstd-chunked.manifest-position", Tool.Run("skopeo", "inspect", "--raw", $"oci:{scratch["chunked"]}:1").Ok().Output);
        Tool.Run("ostree", "fsck", "--quiet", $"--repo={repo}").Ok();
    }

    [Fact]
    public void An_index_gives_the_machines_image_or_the_platform_asked_for()
    {
        using var registry = new FakeRegistry();
        byte[] Layer(string name)
        {
            scratch.Write($"{name}/usr/share/{name}", name);
            Tool.Run("tar", "-C", scratch[name], "--format=pax", "-cf", scratch[name + ".tar"], "usr").Ok();
            return File.ReadAllBytes(scratch[name + ".tar"]);
        }

        string amd = registry.AddImage("os", "amd64", Layer("amd64")), arm = registry.AddImage("os", "arm64", Layer("arm64")), z = registry.AddImage("os", "s390x", Layer("s390x"));
        const string IndexType = "application/vnd.oci.image.index.v1+json", ManifestType = "application/vnd.oci.image.manifest.v1+json";
        string Entry(string digest, string rest, string type = ManifestType) => $$$"""{"mediaType":"{{{type}}}","digest":"{{{digest}}}","size":{{{registry.Manifests[$"os@{digest}"].Bytes.Length}}}{{{rest}}}}""";
        string On(string architecture, string os = "linux") => $$$""","platform":{"os":"{{{os}}}","architecture":"{{{architecture}}}"}""";
        string Index(string tag, params string[] entries) => registry.AddManifest("os", tag, $$"""{"schemaVersion":2,"mediaType":"{{IndexType}}","manifests":[{{string.Join(',', entries)}}]}""", IndexType);
        // What builders tell of how they built lies beside the images, for no platform.
        string attestation = Entry(registry.AddImage("os", "attestation", Layer("attestation")), On("unknown", "unknown") + $$$""","annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{{{amd}}}"}""");
        string all = Index("all", attestation, Entry(z, On("s390x")), Entry(amd, On("amd64")), Entry(arm, On("arm64")), attestation);
        Index("nested", Entry(all, "", IndexType), attestation);
        string machine = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64", repo = Init("repo");
        foreach ((string wanted, string[] options) in new[] { (machine, Array.Empty<string>()), ("s390x", ["--platform=linux/s390x"]) })
        {
            foreach (string tag in new[] { "all", "nested" })
            {
                JsonElement pulled = Pull(repo, $"docker://{registry.Host}/os:{tag}", ["--tls-verify=false", .. options]);
                Assert.EndsWith($"/usr/share/{wanted}", Tool.Run("ostree", $"--repo={repo}", "ls", pulled.GetProperty("commit").GetString()!, $"/usr/share/{wanted}").Ok().OutputLine);
            }
        }

        ToolResult none = OurProgram.Run("container", "image", "pull", repo, $"ostree-unverified-registry:{registry.Host}/os:all", "--tls-verify=false", "--platform=linux/mips");
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("no image for linux/mips", none.Error);
    }
}
