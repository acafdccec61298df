using System.Text;
using OciOstree.Registry.Configuration;
using OciOstree.Registry.Credentials;
using OciOstree.Registry.Http;

namespace OciOstree.Registry.Tests;

/// <summary>What registries, users and files say, damaged: a value or a <see cref="RegistryException"/>, in memory that the input accounts for.</summary>
public sealed class MutationTests : IDisposable
{
    private const string D = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private readonly ScratchDirectory scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Manifests() => Mutations.Feed<RegistryException>(Bytes($$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{D}}}","size":7,"data":"e30="},
        "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{{D}}}","size":1,"annotations":{"z":"1"},"platform":{"os":"linux","architecture":"arm64"}}]}
        """), bytes => Manifest.Parse(bytes).Serialize());

    [Fact]
    public void Indexes() => Mutations.Feed<RegistryException>(Bytes($$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{D}}}","size":7,
        "platform":{"os":"linux","architecture":"amd64","variant":"v8"},"annotations":{"org.opencontainers.image.ref.name":"x"}}]}
        """), bytes => ImageIndex.Parse(bytes).Serialize());

    [Fact]
    public void Configurations() => Mutations.Feed<RegistryException>(Bytes($$$"""
        {"created":"2024-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":["sh"],"Labels":{"ostree.commit":"c"}},
        "rootfs":{"type":"layers","diff_ids":["{{{D}}}"]},"history":[{"created_by":"x","empty_layer":true}]}
        """), bytes => ImageConfig.Parse(bytes).Serialize());

    [Fact]
    public void DockerArchives() => Mutations.Feed<RegistryException>(Bytes("""[{"Config":"a.json","RepoTags":["x:1"],"Layers":["a/layer.tar","b/layer.tar"]}]"""), bytes => OciOstree.Registry.Transports.DockerArchiveEntry.ParseAll(bytes));

    [Theory]
    [InlineData("docker://quay.io:443/a/b-c/d:v1@" + D)]
    [InlineData("oci-archive:/tmp/x.tar:name:tag")]
    [InlineData("containers-storage:[overlay@/var/lib/x+/run/x]localhost/a:b")]
    public void References(string valid) => Mutations.Feed<RegistryException>(Bytes(valid), bytes => ImageReference.Parse(Encoding.UTF8.GetString(bytes)).ToString());

    [Fact]
    public void Challenges() => Mutations.Feed<RegistryException>(Bytes("Bearer realm=\"https://auth.example.org/token\",service=\"x\\\"y\",scope=\"repository:a/b:pull\", Basic realm=z"), bytes =>
    {
        // Nothing that a server says is wrong here: what is not understood is passed over.
        foreach (Challenge challenge in Challenge.Parse(Encoding.Latin1.GetString(bytes)))
        {
            ArgumentNullException.ThrowIfNull(challenge);
        }
    }, refuses: false);

    [Fact]
    public void Credentials() => Mutations.Feed<RegistryException>(Bytes("""{"auths":{"quay.io/a":{"auth":"dXNlcjpwYXNz"},"quay.io":{"username":"u","password":"p"}},"credHelpers":{"other.org":"none"}}"""), bytes =>
    {
        File.WriteAllBytes(scratch["auth.json"], bytes);
        CredentialFiles.Find("quay.io", "a/b", scratch["auth.json"]);
    });

    [Fact]
    public void RegistryRules() => Mutations.Feed<RegistryException>(Bytes("[[registry]]\nprefix = \"*.example.org\"\nlocation = \"a.lan:5000/x\"\nblocked = false\n[[registry.mirror]]\nlocation = \"m.lan\"\npull-from-mirror = \"digest-only\"\n"), bytes =>
    {
        File.WriteAllBytes(scratch["registries.conf"], bytes);
        RegistriesConf.Load(scratch["registries.conf"]);
    });

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
