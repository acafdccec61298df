using System.Globalization;
using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

/// <summary>Looking for an image's signatures, in places that need not be friendly.</summary>
public class SignatureFetchTests : RegistryTest
{
    private const string Config = """{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}""";

    private ImageSignatures Look(string yaml, string? image = null)
    {
        Scratch.Write("registries.d/a.yaml", yaml.Replace("HOST", Fake.Host));
        var digest = Fake.Manifests.ContainsKey($"{Repository}:v1") ? Digest.Compute(Fake.Manifests[$"{Repository}:v1"].Bytes) : Digest.Parse(Fake.AddImage(Repository, "v1", Noise(10)));
        using var source = Images.OpenSource(image is null ? Image : ImageReference.Parse(image), Options with { RegistriesDirectory = Scratch["registries.d"] });
        source.FetchManifest();
        return Assert.IsAssignableFrom<ISignedImageSource>(source).FetchSignatures(digest, isInstance: false);
    }

    private string FailToLook(string yaml) => Message(Assert.Throws<RegistryException>(() => Look(yaml)));

    private string LookasideOf(string directory) => $"docker:\n  HOST:\n    lookaside: file://{Scratch.MakeDirectory(directory)}\n";

    private void Place(string directory, int number, byte[] content)
    {
        var digest = Digest.Parse(Fake.AddImage(Repository, "v1", Noise(10)));
        Scratch.Write($"{directory}/{Repository}@sha256={digest.Hex}/signature-{number}", "");
        File.WriteAllBytes(Scratch[$"{directory}/{Repository}@sha256={digest.Hex}/signature-{number}"], content);
    }

    private void Attach(string layers, string? type = MediaTypes.OciManifest)
    {
        var digest = Digest.Parse(Fake.AddImage(Repository, "v1", Noise(10)));
        Fake.AddManifest(Repository, $"sha256-{digest.Hex}.sig", $$"""{"schemaVersion":2,"mediaType":"{{type}}","config":{{Config}},"layers":[{{layers}}]}""", type!);
    }

    private string Layer(byte[] payload, string type = SigstoreSignature.PayloadType, string annotations = "{}", long? size = null) =>
        $$"""{"mediaType":"{{type}}","digest":"{{Fake.AddBlob(Repository, payload)}}","size":{{size ?? payload.Length}},"annotations":{{annotations}}}""";

    private const string On = "docker:\n  HOST:\n    lookaside: file:///nonexistent\n    use-sigstore-attachments: true\n";

    [Fact]
    public void Files_are_read_in_their_order_until_one_is_missing()
    {
        Assert.Empty(Look(LookasideOf("sigs")).Found);
        Place("sigs", 1, [0xa3, 1, 1]);
        Place("sigs", 2, Bytes("\0simple-signing\nxy"));
        Place("sigs", 4, [0xa3, 1, 4]);
        var found = Look(LookasideOf("sigs")).Found;
        Assert.Equal([[0xa3, 1, 1], Bytes("xy")], found.Select(signature => Assert.IsType<SimpleSignature>(signature).Message.ToArray()));
    }

    [Fact]
    public void What_is_no_signature_is_not_passed_over()
    {
        Place("sigs", 1, []);
        Assert.Contains("signature-1: an empty signature", FailToLook(LookasideOf("sigs")));
        Place("sigs", 1, Bytes("garbage"));
        Assert.Contains("of an unknown format, beginning with 0x67", FailToLook(LookasideOf("sigs")));
        Place("sigs", 1, Bytes("\0simple-signing"));
        Assert.Contains("does not name its format", FailToLook(LookasideOf("sigs")));
        Place("sigs", 1, Bytes("\0sigstore-json\n{"));
        Assert.Contains("invalid sigstore signature", FailToLook(LookasideOf("sigs")));
        Place("sigs", 1, Bytes("\0sigstore-json\n{\"payload\":\"%\"}"));
        Assert.Contains("not base64", FailToLook(LookasideOf("sigs")));
        Place("sigs", 1, new byte[ImageSignature.SizeLimit + 1]);
        Assert.Contains("File too large", FailToLook(LookasideOf("sigs")));
        File.Delete(Directory.EnumerateFiles(Scratch["sigs"], "signature-1", SearchOption.AllDirectories).Single());
        Directory.CreateDirectory(Directory.EnumerateDirectories(Scratch["sigs/os"]).Single() + "/signature-1");
        Assert.Contains("signature-1", FailToLook(LookasideOf("sigs")));
    }

    [Fact]
    public void A_place_that_never_ends_does()
    {
        using var endless = new TestServer(exchange => exchange.Respond(200, [0xa3, 1]));
        Assert.Contains("more than 128 signatures", FailToLook($"docker:\n  HOST:\n    lookaside: http://{endless.Host}/s\n"));
        Assert.InRange(endless.Requests.Count, 128, 130);
        using var large = new TestServer(exchange =>
        {
            exchange.Head(200, ("Content-Length", "99999999999"));
            exchange.Close();
        });
        Assert.Contains("limit", FailToLook($"docker:\n  HOST:\n    lookaside: http://{large.Host}\n"));
    }

    [Fact]
    public void Over_HTTP_only_a_404_means_that_there_is_none()
    {
        List<string> asked = [];
        using var server = new TestServer(exchange =>
        {
            asked.Add(exchange.Target);
            Assert.False(exchange.Headers.ContainsKey("Authorization"));
            exchange.Respond(exchange.Target.Contains("signature-1") ? 200 : 404, [0x90, 1]);
        });
        Options = Options with { Anonymous = false, Credential = new RegistryCredential { Username = "alice", Password = "secret" } };
        var found = Look($"docker:\n  HOST:\n    lookaside: http://{server.Host}/base/?key=1\n");
        Assert.Single(found.Found);
        Assert.StartsWith($"looked at http://{server.Host}/base/", found.Places);
        Assert.Equal(2, asked.Count);
        Assert.Matches($"^/base//{Repository}@sha256=[0-9a-f]{{64}}/signature-1\\?key=1$", asked[0]);

        foreach (var status in new[] { 403, 500, 204, 302 })
        {
            using var broken = new TestServer(exchange => exchange.Respond(status));
            Assert.Contains(status == 302 ? "Location" : status.ToString(CultureInfo.InvariantCulture), FailToLook($"docker:\n  HOST:\n    lookaside: http://{broken.Host}\n"));
        }
    }

    [Theory]
    [InlineData("ftp://a.example/x", "only file, http and https")]
    [InlineData("/var/lib/x", "which is no address")]
    [InlineData("x", "which is no address")]
    public void A_place_of_another_kind_is_refused(string place, string why) => Assert.Contains(why, FailToLook($"docker:\n  HOST:\n    lookaside: {place}\n"));

    [Fact]
    public void The_narrowest_scope_that_says_something_counts()
    {
        Place("inner", 1, [0xa3, 1]);
        Attach(Layer(Bytes("p")));
        var (inner, nothing) = (Scratch["inner"], Scratch.MakeDirectory("nothing"));
        Assert.Equal(2, Look($"""
            default-docker:
              lookaside: file://{nothing}
              use-sigstore-attachments: false
            docker:
              HOST/os/base:v1:
                lookaside-staging: file://{nothing}
              HOST/os/base:
                sigstore: file://{inner}
              HOST/os:
                lookaside: file://{nothing}
              '*.0.1':
                use-sigstore-attachments: true
              HOST/os/base2:
                use-sigstore-attachments: false
            """).Found.Count);
        Assert.Empty(Look($"default-docker:\n  lookaside: file://{nothing}\n").Found);
        Assert.Single(Look($"default-docker: {{ sigstore: 'file://{nothing}', lookaside: \"file://{inner}\" }}\n").Found);
    }

    [Theory]
    [InlineData("docker: x")]
    [InlineData("docker:\n  a: b")]
    [InlineData("docker:\n  a:\n    lookaside: {}")]
    [InlineData("docker:\n  a:\n    use-sigstore-attachments: 1")]
    [InlineData("docker:\n  a:\n    use-sigstore-attachments: 'true'")]
    [InlineData("default-docker: on")]
    [InlineData("docker:\n  *.example.com:\n    lookaside: file:///x")]
    public void Configuration_that_is_not_understood_is_an_error(string yaml) => Assert.Contains("registries.d/a.yaml: ", FailToLook(yaml));

    [Fact]
    public void Attachments_come_with_their_annotations()
    {
        Assert.Empty(Look(On).Found);
        Attach(string.Join(',', Layer(Bytes("one"), annotations: """{"dev.cosignproject.cosign/signature":"c2ln","x":""}"""), Layer(Bytes("an attestation"), "application/vnd.dsse.envelope.v1+json"), Layer(Bytes("two"))));
        var found = Look(On).Found.Cast<SigstoreSignature>().ToList();
        Assert.Equal(["one", "", "two"], found.Select(signature => System.Text.Encoding.UTF8.GetString(signature.Payload.Span)));
        Assert.Equal("c2ln", found[0].Annotations[SigstoreSignature.SignatureAnnotation]);
        Assert.Contains("and for attachments in", Look(On).Attachments);

        // Nobody is asked where nobody is to be.
        Fake.Server.Requests.Clear();
        Assert.Contains("has no use-sigstore-attachments for it", Look("docker: {}\n").Attachments);
        Assert.DoesNotContain(Fake.Server.Requests, request => request.Target.EndsWith(".sig", StringComparison.Ordinal));
    }

    [Fact]
    public void Attachments_that_are_not_what_they_should_be_are_errors()
    {
        Attach(Layer(Bytes("one"), size: ImageSignature.SizeLimit + 1L));
        Assert.Contains("exceeds the limit", FailToLook(On));
        Attach(Layer(Bytes("one"), size: 2));
        Assert.Contains("reading signatures from", FailToLook(On));
        Attach(Layer(Bytes("one")));
        Fake.Blobs[$"{Repository}@{FakeRegistry.DigestOf(Bytes("one"))}"] = Bytes("eno");
        Assert.Contains("does not have this digest", FailToLook(On).Replace("its digest", "this digest"));
        Attach("", MediaTypes.DockerManifest);
        Assert.Contains("it is of type", FailToLook(On));
        Attach(string.Join(',', Enumerable.Repeat(Layer(Bytes("one")), 1001)));
        Assert.Contains("it has 1001 layers", FailToLook(On));
        Attach("{}");
        Assert.Contains("invalid manifest layer", FailToLook(On));
        Fake.Intercept = exchange =>
        {
            var isAsked = exchange.Target.EndsWith(".sig", StringComparison.Ordinal);
            if (isAsked)
            {
                exchange.Respond(403);
            }

            return isAsked;
        };
        Assert.Contains("403", FailToLook(On));
    }

    [Fact]
    public void Directories_hold_signatures_of_the_image_and_of_those_in_its_index()
    {
        var digest = Digest.Compute(Bytes("x"));
        File.WriteAllBytes(Scratch.Write("dir/signature-1", ""), [0xa3]);
        File.WriteAllBytes(Scratch.Write($"dir/{digest.Hex}.signature-1", ""), Bytes("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"cA==\",\"annotations\":{\"a\":\"b\"}}"));
        using var source = (ISignedImageSource)Images.OpenSource(ImageReference.Parse($"dir:{Scratch["dir"]}"), Options);
        Assert.IsType<SimpleSignature>(Assert.Single(source.FetchSignatures(digest, isInstance: false).Found));
        var signature = Assert.IsType<SigstoreSignature>(Assert.Single(source.FetchSignatures(digest, isInstance: true).Found));
        Assert.Equal(("m", "p", "b"), (signature.MediaType, System.Text.Encoding.UTF8.GetString(signature.Payload.Span), signature.Annotations["a"]));
    }

    [Fact]
    public void Damaged_signatures() => Mutations.Feed<RegistryException>(Bytes("\0sigstore-json\n{\"mimeType\":\"m\",\"payload\":\"cA==\",\"annotations\":{\"a\":\"b\"}}"), bytes => ImageSignature.Parse(bytes));

    [Theory]
    [InlineData("quay.io/a/b:1", "quay.io/a/b:1")]
    [InlineData("quay.io/a/b", "quay.io/a/b")]
    [InlineData("b", "docker.io/library/b")]
    [InlineData("a/b:1", "docker.io/a/b:1")]
    [InlineData("index.docker.io/b", "docker.io/library/b")]
    [InlineData("localhost/b", "localhost/b")]
    [InlineData("localhost:5000", "docker.io/library/localhost:5000")]
    [InlineData("a.example:5000/b", "a.example:5000/b")]
    [InlineData("a_b/c", "docker.io/a_b/c")]
    public void Names_as_they_are_signed(string text, string name) => Assert.Equal(name, RegistryName.ParseNormalized(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("A/b")]
    [InlineData("a.example/B")]
    [InlineData("a.example/b:")]
    [InlineData("a.example/b@sha256:00")]
    [InlineData("-a.example/b")]
    [InlineData("a..example/b")]
    [InlineData("a.example:x/b")]
    [InlineData("a.example/b c")]
    [InlineData("a.example/b\0")]
    [InlineData("a.example//b")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void What_is_no_name(string text) => Assert.Throws<RegistryException>(() => RegistryName.ParseNormalized(text));
}
