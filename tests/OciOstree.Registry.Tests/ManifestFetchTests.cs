using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

public class ManifestFetchTests : RegistryTest
{
    private readonly byte[] layer = Noise(1000);

    [Fact]
    public void By_tag_and_by_digest()
    {
        var digest = Fake.AddImage(Repository, "v1", layer);
        using var byTag = Images.OpenSource(Image, Options);
        var fetched = byTag.FetchManifest();
        Assert.Equal(digest, fetched.Digest.ToString());
        Assert.Null(fetched.IndexDigest);
        Assert.Single(fetched.Manifest.Layers);
        Assert.Equal("amd64", byTag.FetchConfig(fetched.Manifest).Architecture);

        using var byDigest = Images.OpenSource(ImageReference.Parse($"registry:{Fake.Host}/{Repository}@{digest}"), Options);
        Assert.Equal(digest, byDigest.FetchManifest().Digest.ToString());
    }

    [Fact]
    public void An_index_is_resolved_and_both_digests_kept()
    {
        var amd = Fake.AddImage(Repository, "amd", layer);
        var arm = Fake.AddImage(Repository, "arm", Noise(2000));
        var index = AddIndex("v1", (amd, "amd64"), (arm, "arm64"));
        using var source = Images.OpenSource(Image, Options);
        var fetched = source.FetchManifest(new Platform("linux", "arm64"));
        Assert.Equal((arm, index), (fetched.Digest.ToString(), fetched.IndexDigest.ToString()));
        var message = Message(Assert.Throws<RegistryException>(() => source.FetchManifest(new Platform("linux", "riscv64"))));
        Assert.Contains("no image for linux/riscv64 (there is linux/amd64, linux/arm64)", message);
    }

    [Fact]
    public void An_index_that_contains_itself_ends()
    {
        var digest = "sha256:" + new string('0', 64);
        var json = $$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{MediaTypes.OciIndex}}","digest":"{{digest}}","size":1,"platform":{"os":"linux","architecture":"amd64"} }]}""";
        Fake.Manifests[$"{Repository}:v1"] = (Bytes(json), MediaTypes.OciIndex);
        Fake.Manifests[$"{Repository}@{digest}"] = (Bytes(json), MediaTypes.OciIndex);
        Options = Options with { Platform = new Platform("linux", "amd64") };
        Assert.Contains("does not have this digest", FailToFetchManifest());
    }

    [Fact]
    public void Indexes_do_not_nest_for_ever()
    {
        var digest = Fake.AddImage(Repository, "image", layer);
        for (var i = 0; i < 6; i++)
        {
            digest = AddIndex("v1", (digest, "amd64"));
        }

        Options = Options with { Platform = new Platform("linux", "amd64") };
        Assert.Contains("nested too deeply", FailToFetchManifest());
    }

    [Fact]
    public void Other_bytes_than_the_digest_says_are_refused()
    {
        var digest = Fake.AddImage(Repository, "v1", layer);
        Fake.Manifests[$"{Repository}@{digest}"] = (Bytes("""{"schemaVersion":2}"""), MediaTypes.OciManifest);
        using var source = Images.OpenSource(ImageReference.Parse($"docker://{Fake.Host}/{Repository}@{digest}"), Options);
        Assert.Contains("does not have this digest", Message(Assert.Throws<RegistryException>(() => source.FetchManifest())));
    }

    [Fact]
    public void A_registry_that_contradicts_itself_is_refused()
    {
        Fake.AddImage(Repository, "v1", layer);
        Fake.Intercept = exchange =>
        {
            if (!exchange.Path.Contains("/manifests/"))
            {
                return false;
            }

            exchange.Respond(200, Fake.Manifests[$"{Repository}:v1"].Bytes, ("Docker-Content-Digest", Digest.Compute([]).ToString()));
            return true;
        };
        Assert.Contains("does not have the digest", FailToFetchManifest());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_manifest_without_end_is_not_read_to_it(bool saysLength)
    {
        Fake.Intercept = exchange =>
        {
            if (!exchange.Path.Contains("/manifests/"))
            {
                return false;
            }

            exchange.Head(200, saysLength ? ("Content-Length", "5000000000") : ("Connection", "close"));
            for (var i = 0; i < 100; i++)
            {
                exchange.Raw(new byte[100_000]);
            }

            exchange.Close();
            return true;
        };
        Assert.Contains("limit", FailToFetchManifest());
    }

    [Fact]
    public void A_manifest_that_breaks_off_is_fetched_again()
    {
        var digest = Fake.AddImage(Repository, "v1", layer);
        var tries = 0;
        Fake.Intercept = exchange =>
        {
            if (!exchange.Path.Contains("/manifests/") || ++tries > 2)
            {
                return false;
            }

            exchange.Head(200, ("Content-Length", "500"));
            exchange.Raw("{"u8);
            exchange.Close();
            return true;
        };
        using var source = Images.OpenSource(Image, Options);
        Assert.Equal(digest, source.FetchManifest().Digest.ToString());
    }

    [Fact]
    public void A_server_cannot_hold_us_by_a_byte_of_manifest_now_and_then()
    {
        Fake.Intercept = exchange =>
        {
            if (!exchange.Path.Contains("/manifests/"))
            {
                return false;
            }

            exchange.Head(200, ("Content-Length", "500"));
            for (var i = 0; i < 490 && !Over.Wait(100); i++)
            {
                exchange.Raw("{"u8);
            }

            return true;
        };
        Options = Impatient with { Retries = 0 };
        Assert.Contains("stalled", FailToFetchManifest());
    }

    [Theory]
    [InlineData("<html>log in</html>")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":1,"name":"x","fsLayers":[]}""")]
    public void What_is_no_manifest_is_said_to_be_none(string body)
    {
        Fake.AddManifest(Repository, "v1", body, "text/html");
        Assert.Contains("manifest", FailToFetchManifest());
    }

    [Fact]
    public void A_missing_tag_is_named()
    {
        var message = FailToFetchManifest();
        Assert.Contains($"docker://{Fake.Host}/{Repository}:v1", message);
        Assert.Contains("manifest unknown", message);
    }

    [Fact]
    public void Nobody_listening_is_said_at_once()
    {
        Fake.Dispose();
        Assert.Contains("refused", FailToFetchManifest());
    }

    [Fact]
    public void Mirrors_are_asked_first_and_the_registry_when_they_fail()
    {
        var digest = Fake.AddImage(Repository, "v1", layer);
        using var mirror = new TestServer(exchange => exchange.Respond(exchange.Path == "/v2/" ? 200 : 404));
        var conf = $"""
            [[registry]]
            location = "example.invalid/os"
            blocked = false
            [[registry]]
            prefix = "example.invalid/ours"
            location = "{Fake.Host}/os"
            insecure = true
            [[registry.mirror]]
            location = "{mirror.Host}/cache"
            insecure = true
            """;
        Options = Options with { RegistriesConf = Scratch.Write("mirrors.conf", conf), TlsVerify = null };
        using var source = Images.OpenSource(ImageReference.Parse("docker://example.invalid/ours/base:v1"), Options);
        var fetched = source.FetchManifest();
        Assert.Equal(digest, fetched.Digest.ToString());
        Assert.Equal(layer, ReadAll(source.OpenBlob(fetched.Manifest.Layers[0])));
        Assert.Contains(mirror.Requests, e => e.Path == "/v2/cache/base/manifests/v1");
        Assert.DoesNotContain(mirror.Requests, e => e.Path.Contains("/blobs/"));
    }

    private string AddIndex(string tag, params (string Digest, string Architecture)[] entries)
    {
        var list = string.Join(",", entries.Select(e =>
            $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{e.Digest}}}","size":{{{Fake.Manifests[$"{Repository}@{e.Digest}"].Bytes.Length}}},"platform":{"os":"linux","architecture":"{{{e.Architecture}}}"}}"""));
        return Fake.AddManifest(Repository, tag, $$"""{"schemaVersion":2,"manifests":[{{list}}]}""", MediaTypes.OciIndex);
    }
}
