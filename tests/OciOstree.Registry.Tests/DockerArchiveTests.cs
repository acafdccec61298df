using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;

namespace OciOstree.Registry.Tests;

public class DockerArchiveTests : RegistryTest
{
    private static readonly byte[] Layer = Noise(3000);
    private static readonly byte[] Config = Bytes($$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{Digest.Compute(Layer)}}"]} }""");

    [Fact]
    public void A_manifest_is_made_of_what_docker_saves()
    {
        Write("""[{"Config":"c.json","RepoTags":["docker.io/a/b:1"],"Layers":["x/layer.tar"]}]""", ("x/layer.tar", Layer));
        using var source = Open("");
        var fetched = source.FetchManifest();
        Assert.Equal(MediaTypes.DockerManifest, fetched.MediaType);
        Assert.Equal(Digest.Compute(Layer), fetched.Manifest.Layers[0].Digest);
        Assert.Equal(Layer, ReadAll(source.OpenBlob(fetched.Manifest.Layers[0])));
        Assert.Equal("amd64", source.FetchConfig(fetched.Manifest).Architecture);
    }

    [Fact]
    public void A_compressed_layer_stays_compressed()
    {
        using var compressed = new MemoryStream();
        using (var gzip = Compressor.Open(compressed, CompressionKind.Gzip))
        {
            gzip.Write(Layer);
        }

        Write("""[{"Config":"c.json","Layers":["l"]}]""", ("l", compressed.ToArray()));
        using var source = Open("");
        var layer = source.FetchManifest().Manifest.Layers[0];
        Assert.Equal(MediaTypes.DockerLayerGzip, layer.MediaType);
        Assert.Equal(compressed.ToArray(), ReadAll(source.OpenBlob(layer)));
    }

    [Fact]
    public void Links_that_old_dockers_wrote_are_followed()
    {
        using (var file = File.Create(Scratch["image.tar"]))
        {
            var tar = new TarWriter(file);
            Add(tar, "layer-file", Layer);
            Add(tar, "c.json", Config);
            tar.Write(new TarEntry { Name = Bytes("x/layer.tar"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("../layer-file"), Mode = 0x1FF });
            Add(tar, "manifest.json", Bytes("""[{"Config":"c.json","Layers":["x/layer.tar"]}]"""));
            tar.Finish();
        }

        using var source = Open("");
        Assert.Equal(Layer, ReadAll(source.OpenBlob(source.FetchManifest().Manifest.Layers[0])));
    }

    [Theory]
    [InlineData(":a/b:1", 0)]
    [InlineData(":docker.io/a/b:1", 0)]
    [InlineData(":quay.io/x:2", 1)]
    [InlineData(":@1", 1)]
    public void One_of_several_is_taken_by_name_or_number(string name, int index)
    {
        var other = Bytes("""{"architecture":"arm64","os":"linux"}""");
        Write("""[{"Config":"c.json","RepoTags":["docker.io/a/b:1"],"Layers":["l"]},{"Config":"d.json","RepoTags":["quay.io/x:2"],"Layers":[]}]""", ("l", Layer), ("d.json", other));
        using var source = Open(name);
        Assert.Equal(Digest.Compute(index == 0 ? Config : other), source.FetchManifest().Manifest.Config.Digest);
        Assert.Contains("2 images", Fail(""));
        Assert.Contains("no image is named", Fail(":none:1"));
        Assert.Contains("2 images", Fail(":@2"));
    }

    [Theory]
    [InlineData("", "invalid")]
    [InlineData("{}", "not a list")]
    [InlineData("[5]", "not a JSON object")]
    [InlineData("[{}]", "no Config")]
    [InlineData("[]", "0 images")]
    [InlineData("""[{"Config":"nowhere.json","Layers":[]}]""", "no nowhere.json")]
    [InlineData("""[{"Config":"c.json","Layers":[]}]""", "0 layers, the image's configuration 1")]
    [InlineData("""[{"Config":"c.json","Layers":["../../etc/passwd"]}]""", "no ../../etc/passwd in the archive")]
    [InlineData("""[{"Config":"c.json","Layers":"l"}]""", "list")]
    [InlineData("""[{"Config":"\ud800","Layers":[]}]""", "Unicode")]
    public void Damage_is_named(string manifest, string reason)
    {
        Write(manifest, ("l", Layer));
        Assert.Contains(reason, Fail(""));
    }

    [Fact]
    public void A_layer_that_is_not_what_its_diff_id_says_is_refused()
    {
        Write("""[{"Config":"c.json","Layers":["l"]}]""", ("l", Noise(3001)));
        using var source = Open("");
        Assert.Throws<RegistryException>(() => ReadAll(source.OpenBlob(source.FetchManifest().Manifest.Layers[0])));
    }

    private static void Add(TarWriter tar, string name, byte[] content) =>
        tar.Write(new TarEntry { Name = Bytes(name), Type = TarEntryType.File, Mode = 0x1A4, Size = content.Length }, content);

    private void Write(string manifest, params (string Name, byte[] Content)[] files)
    {
        using var file = File.Create(Scratch["image.tar"]);
        var tar = new TarWriter(file);
        Add(tar, "c.json", Config);
        foreach (var (name, content) in files)
        {
            Add(tar, name, content);
        }

        Add(tar, "manifest.json", Bytes(manifest));
        tar.Finish();
    }

    private IImageSource Open(string name) => Images.OpenSource(ImageReference.Parse($"docker-archive:{Scratch["image.tar"]}{name}"), Options);

    private string Fail(string name)
    {
        using var source = Open(name);
        return Message(Assert.Throws<RegistryException>(() => source.FetchManifest()));
    }
}
