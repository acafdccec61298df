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
            TrustPolicy.Check(path, OstreeImageReference.Parse(reference));
            return null;
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
    [InlineData("docker://quay.io/open/signed:latest", "requires a signature (signedBy)")]
    [InlineData("oci:/srv/other", "rejects")]
    [InlineData("oci-archive:/srv/images/x", "rejects")]
    public void TheRestStaysOut(string image, string why)
    {
        Assert.Contains(why, Refusal(Scoped, $"ostree-image-signed:{image}"), StringComparison.Ordinal);
        Assert.Contains(why, Refusal(Scoped, $"ostree-unverified-image:{image}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"default": []}""")]
    public void ABrokenPolicyLetsNothingIn(string policy) => Assert.Contains(path, Refusal(policy, "ostree-unverified-image:dir:/x"), StringComparison.Ordinal);
}
