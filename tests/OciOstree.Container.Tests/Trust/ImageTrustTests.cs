using System.Security.Cryptography;
using System.Text;
using OciOstree.Registry;

namespace OciOstree.Container.Tests;

/// <summary>Signatures by keys that the test makes, in places of a registry that it plays.</summary>
public sealed class ImageTrustTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("trust");
    private readonly FakeRegistry fake = new();
    private readonly ECDsa trusted = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        fake.Dispose();
        trusted.Dispose();
        stranger.Dispose();
        scratch.Dispose();
    }

    private RegistryOptions Options => new()
    {
        TlsVerify = false,
        Anonymous = true,
        RegistriesConf = scratch.Write("registries.conf", ""),
        RegistriesDirectory = Path.GetDirectoryName(scratch.Write("registries.d/a.yaml", $"docker:\n  {fake.Host}:\n    lookaside: file://{scratch["sigs"]}\n    use-sigstore-attachments: true\n")),
        Retries = 0,
        Platform = new Platform("linux", "amd64"),
    };

    private OstreeImageReference Reference => OstreeImageReference.Parse($"ostree-image-signed:docker://{fake.Host}/os:1");

    private string Policy(string keys) => scratch.Write("policy.json", $$"""{"default":[{"type":"sigstoreSigned",{{keys}}}]}""");

    private static string Data(params ECDsa[] keys) => string.Join(',', keys.Select(key => $"\"{Convert.ToBase64String(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()))}\""));

    private string Payload(string digest, string? name = null) =>
        $$"""{"critical":{"identity":{"docker-reference":"{{name ?? $"{fake.Host}/os:1"}}"},"image":{"docker-manifest-digest":"{{digest}}"},"type":"cosign container image signature"},"optional":null}""";

    private void Sign(string digest, ECDsa key, string? payload = null, Func<byte[], byte[]>? damage = null)
    {
        var bytes = Encoding.UTF8.GetBytes(payload ?? Payload(digest));
        var signature = key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Attach(digest, bytes, Convert.ToBase64String(damage?.Invoke(signature) ?? signature));
    }

    private void Attach(string digest, byte[] payload, string annotation)
    {
        var config = "{}"u8.ToArray();
        fake.AddManifest("os", digest.Replace(':', '-') + ".sig", $$"""
            {"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{fake.AddBlob("os", config)}}","size":2},
            "layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"{{fake.AddBlob("os", payload)}}","size":{{payload.Length}},"annotations":{"dev.cosignproject.cosign/signature":"{{annotation}}"} }]}
            """);
    }

    private string? Verify(string policy)
    {
        var trust = ImageTrust.Of(policy, Reference);
        using var source = Images.OpenSource(Reference.Image, Options);
        return trust.Verify(source, source.FetchManifest(Options.Platform), default);
    }

    private string Refusal(string policy)
    {
        var text = new StringBuilder();
        for (Exception? e = Assert.Throws<ContainerException>(() => Verify(policy)); e is not null; e = e.InnerException)
        {
            text.Append(e.Message).Append(": ");
        }

        Assert.DoesNotContain('\n', text.ToString());
        return text.ToString();
    }

    [Fact]
    public void OneOfSeveralKeysIsEnough()
    {
        var digest = fake.AddImage("os", "1", [1]);
        Sign(digest, trusted);
        Assert.EndsWith($"Signature for {fake.Host}/os:1: good, by the key in keyDatas", Verify(Policy($"\"keyDatas\":[{Data(stranger, trusted)}]")), StringComparison.Ordinal);
        var (one, two) = (scratch.Write("one.pub", stranger.ExportSubjectPublicKeyInfoPem()), scratch.Write("two.pub", "# ours\n" + trusted.ExportSubjectPublicKeyInfoPem()));
        Assert.EndsWith($"good, by {two}", Verify(Policy($"\"keyPaths\":[\"{one}\",\"{two}\"]")), StringComparison.Ordinal);

        // One that is broken would be missed on the day when it is needed.
        Assert.Contains("is no key", Refusal(Policy($"\"keyPaths\":[\"{two}\",\"{scratch.Write("three.pub", "x")}\"]")), StringComparison.Ordinal);
        Assert.Contains("its key cannot be read", Refusal(Policy($"\"keyPaths\":[\"{two}\",\"/nonexistent\"]")), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryBitOfASignatureCounts()
    {
        var digest = fake.AddImage("os", "1", [1]);
        var policy = Policy($"\"keyData\":{Data(trusted)}");
        for (var at = 0; at < 70; at += 3)
        {
            Sign(digest, trusted, damage: signature =>
            {
                signature[at % signature.Length] ^= (byte)(1 << (at % 8));
                return signature;
            });
            Assert.Contains("not signed by an accepted key", Refusal(policy), StringComparison.Ordinal);
        }

        Sign(digest, trusted, damage: signature => [.. signature, 0]);
        Refusal(policy);
        Sign(digest, trusted, damage: signature => signature[..^1]);
        Refusal(policy);
        Sign(digest, trusted, damage: _ => []);
        Refusal(policy);
        Sign(digest, trusted);
        Assert.NotNull(Verify(policy));
    }

    [Fact]
    public void AnotherKindOfRsaSignatureIsNone()
    {
        using var rsa = RSA.Create(2048);
        var digest = fake.AddImage("os", "1", [1]);
        var payload = Encoding.UTF8.GetBytes(Payload(digest));
        var policy = Policy($"\"keyData\":\"{Convert.ToBase64String(Encoding.ASCII.GetBytes(rsa.ExportRSAPublicKeyPem()))}\"");
        Attach(digest, payload, Convert.ToBase64String(rsa.SignData(payload, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Refusal(policy);
        Attach(digest, payload, Convert.ToBase64String(rsa.SignData(payload, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1)));
        Refusal(policy);
        Attach(digest, payload, Convert.ToBase64String(rsa.SignData(payload, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.NotNull(Verify(policy));
    }

    [Fact]
    public void AnIndexVouchesForItsImagesAndAnImageForItself()
    {
        var (own, other) = (fake.AddImage("os", "amd", [1]), fake.AddImage("os", "arm", [2]));
        string Entry(string digest, string architecture) =>
            $$"""{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{digest}}","size":{{fake.Manifests[$"os@{digest}"].Bytes.Length}},"platform":{"os":"linux","architecture":"{{architecture}}"} }""";
        var index = fake.AddManifest("os", "1", $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Entry(own, "amd64")}},{{Entry(other, "arm64")}}]}""", MediaTypes.OciIndex);
        var policy = Policy($"\"keyData\":{Data(trusted)}");
        Assert.Contains("there is no signature", Refusal(policy), StringComparison.Ordinal);
        Assert.Contains("its index is not signed so either", Refusal(policy), StringComparison.Ordinal);
        Sign(other, trusted);
        Refusal(policy);
        Sign(index, stranger);
        Refusal(policy);
        Sign(own, trusted);
        Assert.StartsWith($"Image {own} is signed", Verify(policy), StringComparison.Ordinal);
        Sign(own, stranger);
        Sign(index, trusted);
        Assert.StartsWith($"Image {index} is signed", Verify(policy), StringComparison.Ordinal);

        // Half of the requirements met by the index and half by the image is not all of them.
        Sign(own, stranger);
        var both = scratch.Write("both.json", $$"""{"default":[{"type":"sigstoreSigned","keyData":{{Data(trusted)}}},{"type":"sigstoreSigned","keyData":{{Data(stranger)}} }]}""");
        Refusal(both);
    }

    [Fact]
    public void NothingElseIsFetchedBeforeItIsAccepted()
    {
        var digest = fake.AddImage("os", "1", [1]);
        Sign(digest, stranger);
        fake.Server.Requests.Clear();
        Refusal(Policy($"\"keyData\":{Data(trusted)}"));
        Assert.DoesNotContain(fake.Server.Requests, request => request.Target.Contains("/blobs/", StringComparison.Ordinal) && !request.Target.EndsWith(FakeRegistry.DigestOf(Encoding.UTF8.GetBytes(Payload(digest))), StringComparison.Ordinal));
    }

    [Fact]
    public void PlacesWithoutSignaturesHaveNone()
    {
        var policy = scratch.Write("policy.json", $$"""{"default":[{"type":"sigstoreSigned","keyData":{{Data(trusted)}},"signedIdentity":{"type":"exactRepository","dockerRepository":"a.example/b"} }]}""");
        var image = new MemoryImage();
        image.AddTar(_ => { });
        var trust = ImageTrust.Of(policy, OstreeImageReference.Parse("ostree-unverified-image:oci:/x"));
        Assert.Contains("there is no signature (there are none in oci:)", Assert.Throws<ContainerException>(() => trust.Verify(image, image.FetchManifest(), default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhoWantsNoSignatureAsksForNone()
    {
        fake.AddImage("os", "1", [1]);
        var policy = scratch.Write("policy.json", """{"default":[{"type":"reject"}],"transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]} } }""");
        Assert.Null(Verify(policy));
        Assert.DoesNotContain(fake.Server.Requests, request => request.Target.EndsWith(".sig", StringComparison.Ordinal));
    }
}
