using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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

    private void Attach(string digest, byte[] payload, string annotation, string? record = null)
    {
        var config = "{}"u8.ToArray();
        fake.AddManifest("os", digest.Replace(':', '-') + ".sig", $$"""
            {"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{fake.AddBlob("os", config)}}","size":2},
            "layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"{{fake.AddBlob("os", payload)}}","size":{{payload.Length}},"annotations":{"dev.cosignproject.cosign/signature":"{{annotation}}"{{(record is null ? "" : $",\"dev.sigstore.cosign/bundle\":{JsonSerializer.Serialize(record)}")}} } }]}
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

    private static string Base64Of(byte[] bytes) => Convert.ToBase64String(bytes);

    private static string Entry(ECDsa signer, byte[] signature, byte[] payload, string kind = "hashedrekord") => $$"""
        {"apiVersion":"0.0.1","kind":"{{kind}}","spec":{"data":{"hash":{"algorithm":"sha256","value":"{{Convert.ToHexStringLower(SHA256.HashData(payload))}}"} },
        "signature":{"content":"{{Base64Of(signature)}}","publicKey":{"content":"{{Base64Of(Encoding.ASCII.GetBytes(signer.ExportSubjectPublicKeyInfoPem() + "\n"))}}"} } } }
        """;

    private static string Record(ECDsa log, string entry, string time = "1700000000")
    {
        var body = Base64Of(Encoding.UTF8.GetBytes(entry));
        var signed = "{\"body\":\"" + body + "\",\"integratedTime\":1700000000,\"logID\":\"c0ffee\",\"logIndex\":42}";
        var promise = Base64Of(log.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        return "{\"SignedEntryTimestamp\":\"" + promise + "\",\"Payload\":{\"logIndex\": 42,\"body\":\"" + body + "\",\"integratedTime\":" + time + ",\"logID\":\"c0ffee\"}}";
    }

    [Fact]
    public void ARecordInALogIsOfThisSignatureAlone()
    {
        using var log = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var digest = fake.AddImage("os", "1", [1]);
        var payload = Encoding.UTF8.GetBytes(Payload(digest));
        var signature = trusted.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var policy = Policy($"\"keyDatas\":[{Data(stranger, trusted)}],\"rekorPublicKeyDatas\":[{Data(stranger, log)}]");
        With(Record(log, Entry(trusted, signature, payload)));
        Assert.EndsWith("good, by the key in keyDatas, recorded in a Rekor log", Verify(policy), StringComparison.Ordinal);

        foreach (var (record, why) in new (string?, string)[]
        {
            (null, "annotation, and a record in a Rekor log is wanted"),
            ("", "no JSON"),
            ("{}", "no 'SignedEntryTimestamp'"),
            (Record(trusted, Entry(trusted, signature, payload)), "not by an accepted log"),
            (Record(log, Entry(trusted, signature, payload), "1700000001"), "not by an accepted log"),
            (Record(log, Entry(trusted, signature, payload), "1.7e9"), "no integer"),
            (Record(log, Entry(trusted, signature, payload), "1.5"), "no integer"),
            (Record(log, Entry(trusted, signature, payload)).Replace("c0ffee", "c0ffe\\u0065"), ""),
            (Record(log, Entry(trusted, signature, payload)).Replace("\"logID\"", "\"logID\":\"x\",\"logID\""), "twice"),
            (Record(log, Entry(trusted, signature, payload)).Replace("\"logID\"", "\"more\":1,\"logID\""), "unknown member"),
            (Record(log, Entry(trusted, signature, payload, "intoto")), "no hashedrekord"),
            (Record(log, Entry(stranger, signature, payload)), "of another key"),
            (Record(log, Entry(trusted, [.. signature, 0], payload)), "of another signature"),
            (Record(log, Entry(trusted, signature, [.. payload, 0])), "of another document"),
            (Record(log, "[]"), "is no object"),
            (Record(log, "{\"kind\":\"hashedrekord\",\"apiVersion\":\"0.0.1\"}"), "no spec"),
        })
        {
            With(record);
            if (why.Length == 0)
            {
                // The same text, written otherwise.
                Assert.NotNull(Verify(policy));
            }
            else
            {
                Assert.Contains(why, Refusal(policy), StringComparison.Ordinal);
            }
        }

        using var rsa = RSA.Create(2048);
        With(Record(log, Entry(trusted, signature, payload)));
        var strange = $"\"rekorPublicKeyData\":\"{Base64Of(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()))}\"";
        Assert.Contains("no key for ECDSA", Refusal(Policy($"\"keyData\":{Data(trusted)},{strange}")), StringComparison.Ordinal);
        Assert.Contains("its key cannot be read", Refusal(Policy($"\"keyData\":{Data(trusted)},\"rekorPublicKeyPath\":\"/nonexistent\"")), StringComparison.Ordinal);

        void With(string? record) => Attach(digest, payload, Base64Of(signature), record);
    }

    [Fact]
    public void DamagedRecords()
    {
        using var key = SigstoreKey.Parse(Encoding.ASCII.GetBytes(trusted.ExportSubjectPublicKeyInfoPem()));
        var (payload, signature) = (new byte[] { 1 }, new byte[] { 2 });
        Mutations.Feed<ContainerException>(Encoding.UTF8.GetBytes(Record(trusted, Entry(trusted, signature, payload))), bytes => RekorRecord.Verify(bytes, [key], payload, signature, key));
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
