using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;

namespace OciOstree.Registry.Tests;

public class LayoutTests : RegistryTest
{
    private readonly byte[] layer = Noise(5000);

    [Theory]
    [InlineData("oci:", ":v1")]
    [InlineData("oci:", "")]
    [InlineData("oci-archive:", ":v1")]
    [InlineData("oci-archive:", "")]
    [InlineData("dir:", "")]
    [InlineData("docker-archive:", ":docker.io/a/b:v1")]
    public void An_image_survives_being_written_and_read(string transport, string name)
    {
        Fake.AddImage(Repository, "v1", layer, Noise(10));
        var place = ImageReference.Parse(transport + Scratch["place"] + name);
        Images.Copy(Image, place, null, Options);
        Images.Copy(Image, place, null, Options);
        using var source = Images.OpenSource(place);
        var manifest = source.FetchManifest().Manifest;
        Assert.Equal(layer, ReadAll(source.OpenBlob(manifest.Layers[0])));
        Assert.Equal("amd64", source.FetchConfig(manifest).Architecture);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Scratch.Path), p => Path.GetFileName(p).StartsWith('.'));
    }

    [Fact]
    public void A_layout_holds_many_images()
    {
        var first = Fake.AddImage(Repository, "v1", layer);
        Copy(":one");
        Copy(":two");
        Fake.AddImage(Repository, "v1", Noise(99));
        Copy(":two");
        var second = Copy(":colon:in:name");
        Assert.Equal(first, Find(":one"));
        Assert.Equal(second, Find(":two"));
        Assert.Equal(second, Find(":colon:in:name"));
        Assert.Contains("holds 3 images, name one of them (there is one, two, colon:in:name)", Fail(""));
        Assert.Contains("no image is named 'three'", Fail(":three"));
    }

    [Fact]
    public void Writing_at_once_loses_no_image()
    {
        Fake.AddImage(Repository, "v1", layer);
        Workers.ForEach([.. Enumerable.Range(0, 8)], 8, CancellationToken.None, (i, _) => Copy($":tag{i}"));
        for (var i = 0; i < 8; i++)
        {
            Assert.NotEmpty(Find($":tag{i}"));
        }

        Assert.Equal(["blobs", "index.json", "oci-layout"], Directory.EnumerateFileSystemEntries(Scratch["layout"]).Select(p => Path.GetFileName(p)!).Order());
    }

    [Fact]
    public void Nothing_is_visible_before_the_end()
    {
        using (var destination = Images.OpenDestination(ImageReference.Parse($"oci:{Scratch["layout"]}:x")))
        {
            destination.PutBlob(Describe(layer), () => new MemoryStream(layer));
            destination.PutManifest(Bytes("{}"), MediaTypes.OciManifest);
        }

        Assert.False(File.Exists(Path.Combine(Scratch["layout"], "index.json")));
    }

    [Theory]
    [InlineData("oci:")]
    [InlineData("dir:")]
    [InlineData("oci-archive:")]
    public void A_wrong_blob_is_not_written(string transport)
    {
        using var destination = Images.OpenDestination(ImageReference.Parse(transport + Scratch["place"]));
        Assert.Throws<RegistryException>(() => destination.PutBlob(Describe(layer), () => new MemoryStream(Noise(5001))));
        Assert.False(destination.HasBlob(Digest.Compute(layer), layer.Length));
    }

    [Theory]
    [InlineData("oci:")]
    [InlineData("dir:")]
    public void A_damaged_blob_is_noticed(string transport)
    {
        Fake.AddImage(Repository, "v1", layer);
        var place = ImageReference.Parse(transport + Scratch["place"]);
        Images.Copy(Image, place, null, Options);
        var path = Directory.EnumerateFiles(Scratch["place"], Digest.Compute(layer).Hex, SearchOption.AllDirectories).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[100] ^= 1;
        File.WriteAllBytes(path, bytes);
        using var source = Images.OpenSource(place);
        var descriptor = source.FetchManifest().Manifest.Layers[0];
        Assert.Contains("does not have this digest", Assert.Throws<RegistryException>(() => ReadAll(source.OpenBlob(descriptor))).Message);
        File.WriteAllBytes(path, bytes[..50]);
        Assert.Throws<RegistryException>(() => ReadAll(source.OpenBlob(descriptor)));
        File.Delete(path);
        Assert.Contains("no such file", Assert.Throws<RegistryException>(() => source.OpenBlob(descriptor)).Message);
    }

    [Theory]
    [InlineData("", "invalid image index")]
    [InlineData("{}", "schema version 2")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""", "no image")]
    [InlineData("""{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../etc/passwd","size":1}]}""", "invalid digest")]
    public void A_bad_index_is_said_to_be_bad(string json, string reason)
    {
        Scratch.Write("layout/index.json", json);
        Assert.Contains(reason, Fail(""));
    }

    [Fact]
    public void The_same_image_gives_the_same_archive_bytes()
    {
        Fake.AddImage(Repository, "v1", layer, Noise(10), Noise(100), Noise(2));
        var archives = Enumerable.Range(0, 3).Select(i =>
        {
            Images.Copy(Image, ImageReference.Parse($"oci-archive:{Scratch[$"{i}.tar"]}:v1"), new CopyOptions { Parallelism = i + 1 }, Options);
            return File.ReadAllBytes(Scratch[$"{i}.tar"]);
        }).ToList();
        Assert.Equal(archives[0], archives[1]);
        Assert.Equal(archives[0], archives[2]);
    }

    [Theory]
    [InlineData(CompressionKind.Gzip)]
    [InlineData(CompressionKind.Zstd)]
    public void A_compressed_archive_is_read(CompressionKind kind)
    {
        var digest = Fake.AddImage(Repository, "v1", layer);
        Images.Copy(Image, ImageReference.Parse($"oci-archive:{Scratch["a.tar"]}"), null, Options);
        using (var target = File.Create(Scratch["a.tar.z"]))
        using (var compressor = Compressor.Open(target, kind))
        {
            compressor.Write(File.ReadAllBytes(Scratch["a.tar"]));
        }

        using var source = Images.OpenSource(ImageReference.Parse($"oci-archive:{Scratch["a.tar.z"]}"), Options);
        Assert.Equal(digest, source.FetchManifest().Digest.ToString());
    }

    [Fact]
    public void Every_truncation_of_an_archive_is_a_clean_error()
    {
        Fake.AddImage(Repository, "v1", Noise(700));
        Images.Copy(Image, ImageReference.Parse($"oci-archive:{Scratch["a.tar"]}"), null, Options);
        var bytes = File.ReadAllBytes(Scratch["a.tar"]);
        for (var length = 0; length < bytes.Length - 1024; length += 256)
        {
            File.WriteAllBytes(Scratch["cut.tar"], bytes[..length]);
            Assert.Throws<RegistryException>(() =>
            {
                using var source = Images.OpenSource(ImageReference.Parse($"oci-archive:{Scratch["cut.tar"]}"), Options);
                source.FetchManifest();
            });
        }
    }

    [Fact]
    public void Links_in_an_archive_lead_to_its_own_files_only()
    {
        using (var file = File.Create(Scratch["links.tar"]))
        {
            var tar = new TarWriter(file);
            tar.Write(new TarEntry { Name = Bytes("index.json"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("/etc/passwd"), Mode = 0x1FF });
            tar.Write(new TarEntry { Name = Bytes("a"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("b"), Mode = 0x1FF });
            tar.Write(new TarEntry { Name = Bytes("b"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("a"), Mode = 0x1FF });
            tar.Finish();
        }

        using var archive = OciOstree.Registry.Transports.ArchiveFile.Open(Scratch["links.tar"], Options);
        Assert.Contains("no index.json", Assert.Throws<RegistryException>(() => archive.ReadFile("index.json")).Message);
        Assert.False(archive.Contains("a"));
    }

    [Fact]
    public void Directories_with_other_things_in_them_are_left_alone()
    {
        Scratch.Write("home/precious", "x");
        Assert.Contains("not empty", Assert.Throws<RegistryException>(() => Images.OpenDestination(ImageReference.Parse($"dir:{Scratch["home"]}"))).Message);
    }

    [Fact]
    public void Docker_manifests_become_oci_in_a_layout()
    {
        var config = Bytes("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}""");
        Fake.AddBlob(Repository, config);
        Fake.AddManifest(
            Repository,
            "v1",
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.DockerManifest}}}","config":{"mediaType":"{{{MediaTypes.DockerConfig}}}","digest":"{{{Digest.Compute(config)}}}","size":{{{config.Length}}}},"layers":[]}""",
            MediaTypes.DockerManifest);
        Copy(":x");
        using var source = Images.OpenSource(ImageReference.Parse($"oci:{Scratch["layout"]}:x"));
        var fetched = source.FetchManifest();
        Assert.Equal(MediaTypes.OciManifest, fetched.MediaType);
        Assert.Equal(MediaTypes.OciConfig, fetched.Manifest.Config.MediaType);
    }

    private string Copy(string name) => Images.Copy(Image, ImageReference.Parse($"oci:{Scratch["layout"]}{name}"), null, Options).Digest.ToString();

    private string Find(string name)
    {
        using var source = Images.OpenSource(ImageReference.Parse($"oci:{Scratch["layout"]}{name}"));
        return source.FetchManifest().Digest.ToString();
    }

    private string Fail(string name) => Message(Assert.Throws<RegistryException>(() => Find(name)));
}
