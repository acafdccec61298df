using System.Text;

namespace OciOstree.Registry.Tests;

public class ManifestTests
{
    private const string D = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private const string Full = $$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","x-future":{"b":[1,2.50,null],"a":"é\u0001\"\\/"},
         "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{D}}}","size":7,"data":"e30="},
         "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{{D}}}","size":0,"annotations":{"z":"1","a":"2"}}],
         "annotations":{"ostree.commit":"c"},"subject":{"mediaType":"m","digest":"{{{D}}}","size":1}}
        """;

    [Fact]
    public void Writes_sorted_members_and_keeps_what_it_does_not_know()
    {
        var written = Encoding.UTF8.GetString(Manifest.Parse(Bytes(Full)).Serialize());
        Assert.Equal(
            $$$"""{"annotations":{"ostree.commit":"c"},"config":{"data":"e30=","digest":"{{{D}}}","mediaType":"application/vnd.oci.image.config.v1+json","size":7}"""
            + $$$""","layers":[{"annotations":{"a":"2","z":"1"},"digest":"{{{D}}}","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":0}]"""
            + $$$""","mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2,"subject":{"digest":"{{{D}}}","mediaType":"m","size":1},"x-future":{"a":"é\u0001\"\\/","b":[1,2.50,null]}}""",
            written);
        Assert.Equal(written, Encoding.UTF8.GetString(Manifest.Parse(Bytes(written)).Serialize()));
    }

    [Fact]
    public void Every_truncation_is_a_clean_error()
    {
        for (var length = 0; length < Full.Length; length++)
        {
            Assert.Throws<RegistryException>(() => Manifest.Parse(Bytes(Full[..length])));
        }
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("null", "not a JSON object")]
    [InlineData("""{"schemaVersion":1,"config":{}}""", "schema version 2")]
    [InlineData("""{"schemaVersion":2}""", "no config")]
    [InlineData("""{"schemaVersion":2,"config":[]}""", "not a JSON object")]
    [InlineData("""{"schemaVersion":2,"config":{"digest":"sha256:zz","size":1}}""", "invalid digest")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}"}}""", "size")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}","size":-1}}""", "negative")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}","size":1e30}}""", "size")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}","size":1},"layers":{}}""", "list")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}","size":1},"annotations":{"a":1}}""", "string")]
    [InlineData($$$"""{"schemaVersion":2,"config":{"digest":"{{{D}}}","size":1,"mediaType":"\ud800"}}""", "Unicode")]
    public void Says_what_is_wrong(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<RegistryException>(() => Manifest.Parse(Bytes(json))).Message);

    [Fact]
    public void Deep_nesting_is_an_error_not_a_crash() =>
        Assert.Throws<RegistryException>(() => Manifest.Parse(Bytes("{\"a\":" + new string('[', 100_000))));

    [Fact]
    public void A_manifest_has_a_limit() =>
        Assert.Contains("limit", Assert.Throws<RegistryException>(() => Manifest.Parse(new byte[Manifest.SizeLimit + 1])).Message);

    [Fact]
    public void What_is_image_and_index_at_once_is_neither()
    {
        var both = $$"""{"schemaVersion":2,"config":{"digest":"{{D}}","size":1},"layers":[],"manifests":[]}""";
        Assert.Contains("both", Assert.Throws<RegistryException>(() => ManifestKind.Detect(Bytes(both), null)).Message);
    }

    [Fact]
    public void The_content_tells_what_a_server_does_not()
    {
        Assert.Equal(MediaTypes.OciIndex, ManifestKind.Detect(Bytes("""{"schemaVersion":2,"manifests":[]}"""), "text/plain"));
        Assert.Equal(MediaTypes.DockerManifestList, ManifestKind.Detect(Bytes("""{"schemaVersion":2,"manifests":[]}"""), MediaTypes.DockerManifestList));
        var docker = $$"""{"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.DockerConfig}}","digest":"{{D}}","size":1},"layers":[]}""";
        Assert.Equal(MediaTypes.DockerManifest, ManifestKind.Detect(Bytes(docker), null));
        Assert.Equal(MediaTypes.DockerManifest, Manifest.Parse(Bytes(docker)).MediaType);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
