namespace OciOstree.Container.Tests;

public sealed class TrustPolicyTests : IDisposable
{
    private const string Scoped = """
        {
          "default": [{"type": "reject"}],
          "transports": {
            "docker": {
              "quay.io/open": [{"type": "insecureAcceptAnything"}],
              "quay.io/open/signed": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}],
              "quay.io/open/signed:free": [{"type": "insecureAcceptAnything"}],
              "*.example.com": [{"type": "insecureAcceptAnything"}],
              "docker.io/library": [{"type": "insecureAcceptAnything"}]
            },
            "oci": {"/srv/images": [{"type": "insecureAcceptAnything"}]},
            "dir": {"": [{"type": "insecureAcceptAnything"}]}
          }
        }
        """;

    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    private string? Refusal(string policy, string reference)
    {
        File.WriteAllText(path, policy);
        try
        {
            return ImageTrust.Of(path, OstreeImageReference.Parse(reference)).NeedsSignatures ? "needs signatures" : null;
        }
        catch (ContainerException e)
        {
            return e.Message;
        }
    }

    [Fact]
    public void APolicyThatAcceptsAnythingVouchesForNothing()
    {
        const string Policy = """{"default": [{"type": "insecureAcceptAnything"}]}""";
        Assert.Equal($"{path} specifies a default of `insecureAcceptAnything`; refusing usage", Refusal(Policy, "ostree-image-signed:docker://quay.io/a/b"));
        Assert.Null(Refusal(Policy, "ostree-unverified-registry:quay.io/a/b"));
    }

    [Theory]
    [InlineData("docker://quay.io/open/thing:1")]
    [InlineData("docker://quay.io/open")]
    [InlineData("docker://quay.io/open/signed:free")]
    [InlineData("docker://registry.example.com/any/thing")]
    [InlineData("docker://a.b.example.com:5000/x")]
    [InlineData("docker://docker.io/library/debian")]
    [InlineData("oci:/srv/images/os:latest")]
    [InlineData("dir:/anywhere")]
    public void TheMostSpecificScopeLetsIn(string image)
    {
        Assert.Null(Refusal(Scoped, $"ostree-image-signed:{image}"));
        Assert.Null(Refusal(Scoped, $"ostree-unverified-image:{image}"));
    }

    [Theory]
    [InlineData("docker://quay.io/other/thing", "rejects")]
    [InlineData("docker://example.com/x", "rejects")]
    [InlineData("docker://quay.io/opened", "rejects")]
    [InlineData("docker://quay.io/open/signed:latest", "needs signatures")]
    [InlineData("oci:/srv/other", "rejects")]
    [InlineData("oci-archive:/srv/images/x", "rejects")]
    public void TheRestStaysOut(string image, string why)
    {
        Assert.Contains(why, Refusal(Scoped, $"ostree-image-signed:{image}"), StringComparison.Ordinal);
        Assert.Contains(why, Refusal(Scoped, $"ostree-unverified-image:{image}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}""", "signatures of base layers")]
    [InlineData("""{"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"}""", "keys of type X509Certificates")]
    [InlineData("""{"type":"sigstoreSigned","fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyData":"AAAA"}""", "certificates of Fulcio (fulcio)")]
    [InlineData("""{"type":"sigstoreSigned","pki":{"caRootsPath":"/c","subjectEmail":"e"}}""", "certificates of signers (pki)")]
    public void WhatCannotBeVerifiedLetsNothingIn(string requirement, string what)
    {
        var refusal = Refusal($$"""{"default": [{"type":"insecureAcceptAnything"}, {{requirement}}]}""", "ostree-unverified-image:docker://quay.io/a/b");
        Assert.Contains("cannot be verified here: " + what, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","keyData":"AAAA"}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPaths":[]}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":""}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":null}""")]
    [InlineData("""{"type":"sigstoreSigned","keyData":"A A A A"}""")]
    [InlineData("""{"type":"sigstoreSigned","KeyPath":"/k"}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","keyPath":"/k"}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":"/r","rekorPublicKeyData":"AAAA"}""")]
    [InlineData("""{"type":"sigstoreSigned","fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"e"}}""")]
    [InlineData("""{"type":"sigstoreSigned","pki":{"caRootsPath":"/c","subjectEmail":"e"},"rekorPublicKeyPath":"/r"}""")]
    [InlineData("""{"type":"sigstoreSigned","fulcio":{"other":"e"},"rekorPublicKeyPath":"/r"}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":null}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{}}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"matchExact","more":1}}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"exactReference"}}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"exactRepository","dockerRepository":"UPPER/case"}}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"a.example"}}""")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"a.example","signedPrefix":"short"}}""", true)]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"","signedPrefix":"a.example"}}""")]
    [InlineData("""{"type":"signedBy","keyPath":"/k"}""")]
    [InlineData("""{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k","keyPaths":["/k"]}""")]
    [InlineData("""{"type":"signedBy","keyType":"GPGKeys","keyDatas":["AAAA"]}""")]
    [InlineData("""{"type":"insecureAcceptAnything","x":1}""")]
    [InlineData("""{"Type":"reject"}""")]
    [InlineData("""{"type":1}""")]
    [InlineData("""["reject"]""")]
    public void ARequirementThatIsNotUnderstoodRefusesTheWholePolicy(string requirement, bool isHost = false)
    {
        // Whatever it is about: the image itself would be let in.
        var policy = $$"""{"default": [{"type":"reject"}], "transports": {"docker": {"": [{"type":"insecureAcceptAnything"}], "other.example": [{{requirement}}]} } }""";
        var refusal = Refusal(policy, "ostree-unverified-image:docker://quay.io/a/b");

        // "short" is a host by its form.
        if (isHost)
        {
            Assert.Null(refusal);
        }
        else
        {
            Assert.Equal($"Reading {path}", refusal);
        }
    }

    [Theory]
    [InlineData("""{"default": [{"type":"reject"}], "transports": {"dir": {"/": [{"type":"reject"}]} } }""")]
    [InlineData("""{"default": [{"type":"reject"}], "transports": {"dir": {"/a/../b": [{"type":"reject"}]} } }""")]
    [InlineData("""{"default": [{"type":"reject"}], "transports": {"oci": {"a": [{"type":"reject"}]} } }""")]
    [InlineData("""{"default": [{"type":"reject"}], "transports": {"docker-archive": {"/a": [{"type":"reject"}]} } }""")]
    [InlineData("""{"default": [{"type":"reject"}], "transports": {"docker": []} }""")]
    [InlineData("""{"default": [{"type":"reject"}], "transports": null }""")]
    [InlineData("""{"default": [{"type":"reject"}], "default": [{"type":"reject"}]}""")]
    [InlineData("""{"default": [{"type":"reject"}], "more": 1}""")]
    [InlineData("""{"default": [{"type":"reject"}]} x""")]
    public void APolicyThatIsNotUnderstoodLetsNothingIn(string policy) => Assert.Equal($"Reading {path}", Refusal(policy, "ostree-unverified-image:oci:/srv/images/os"));

    [Fact]
    public void ThePolicyInTheDocumentationIsOne()
    {
        var text = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "docs/run-a-machine.md"));
        var policy = text.Split("```json\n").Skip(1).Select(block => block[..block.IndexOf("```", StringComparison.Ordinal)]).Single(block => block.Contains("sigstoreSigned", StringComparison.Ordinal));
        Assert.Equal("needs signatures", Refusal(policy, "ostree-image-signed:docker://quay.io/you/os:1"));
        Assert.Equal("needs signatures", Refusal(policy, "ostree-image-signed:docker://registry.vendor.example/os:1"));
        Assert.Contains("rejects", Refusal(policy, "ostree-image-signed:docker://quay.io/me/os:1"), StringComparison.Ordinal);
    }

    [Fact]
    public void ScopesOfPathsAreFollowedThroughLinks()
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("real/image");
        Directory.CreateSymbolicLink(scratch["link"], scratch["real"]);
        var policy = $$"""{"default": [{"type":"reject"}], "transports": {"oci": {"{{scratch["real"]}}": [{"type":"insecureAcceptAnything"}], "{{scratch["link"]}}": [{"type":"reject"}]} } }""";
        Assert.Null(Refusal(policy, $"ostree-unverified-image:oci:{scratch["link/image"]}:1"));
        Assert.Null(Refusal(policy, $"ostree-unverified-image:oci:{scratch["link/./image"]}"));
        Assert.Contains("rejects", Refusal(policy, $"ostree-unverified-image:oci:{scratch["other"]}"), StringComparison.Ordinal);
    }

    [Fact]
    public void AScopeOfAStoreThatIsNotKnownLetsNothingIn()
    {
        const string Policy = """{"default": [{"type":"insecureAcceptAnything"}], "transports": {"containers-storage": {"[overlay@/var/lib/containers/storage]": [{"type":"reject"}]} } }""";
        Assert.Contains("containers-storage:", Refusal(Policy, "ostree-unverified-image:containers-storage:localhost/os"), StringComparison.Ordinal);
        Assert.Null(Refusal(Policy, "ostree-unverified-image:docker://quay.io/a/b"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"default": []}""")]
    public void ABrokenPolicyLetsNothingIn(string policy) => Assert.Contains(path, Refusal(policy, "ostree-unverified-image:dir:/x"), StringComparison.Ordinal);
}
