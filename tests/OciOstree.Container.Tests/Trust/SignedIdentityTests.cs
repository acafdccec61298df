using System.Text.Json;
using OciOstree.Registry;

namespace OciOstree.Container.Tests;

public sealed class SignedIdentityTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static bool Accepts(string identity, string? image, string signed)
    {
        using var document = JsonDocument.Parse(identity);
        return SignedIdentity.Read(document.RootElement).Accepts(image is null ? null : RegistryName.Parse(image), signed);
    }

    [Theory]
    [InlineData("matchExact", "quay.io/a/b:1", "quay.io/a/b:1", true)]
    [InlineData("matchExact", "quay.io/a/b", "quay.io/a/b:latest", true)]
    [InlineData("matchExact", "quay.io/a/b", "quay.io/a/b", false)]
    [InlineData("matchExact", "quay.io/a/b:1", "quay.io/a/b:2", false)]
    [InlineData("matchExact", "quay.io/a/b:1", "quay.io:443/a/b:1", false)]
    [InlineData("matchExact", "quay.io/a/b@" + Digest, "quay.io/a/b@" + Digest, true)]
    [InlineData("matchExact", "quay.io/a/b@" + Digest, "quay.io/a/b:1", false)]
    [InlineData("matchExact", "docker.io/library/b:1", "b:1", true)]
    [InlineData("matchExact", "docker.io/a/b:1", "a/b:1", true)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b:1", "quay.io/a/b:1", true)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b:1", "quay.io/a/b", false)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b:1", "quay.io/a/b@" + Digest, false)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b@" + Digest, "quay.io/a/b:1", true)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b@" + Digest, "quay.io/a/b", false)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b@" + Digest, "quay.io/a/c:1", false)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b:1@" + Digest, "quay.io/a/b:1", true)]
    [InlineData("matchRepoDigestOrExact", "quay.io/a/b:1@" + Digest, "quay.io/a/b:2", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/a/b:2", true)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/a/b", true)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/a/bb:1", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/a", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/a/b:1\0", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "quay.io/A/b:1", false)]
    [InlineData("matchRepository", "quay.io/a/b:1", "docker://quay.io/a/b:1", false)]
    [InlineData("matchRepository", null, "quay.io/a/b:1", false)]
    [InlineData("matchExact", null, "quay.io/a/b:1", false)]
    public void Names(string type, string? image, string signed, bool isAccepted) => Assert.Equal(isAccepted, Accepts($$"""{"type":"{{type}}"}""", image, signed));

    [Theory]
    [InlineData("quay.io/a/b:1", null, "quay.io/a/b:1", true)]
    [InlineData("quay.io/a/b:1", null, "quay.io/a/b:2", false)]
    [InlineData("b:1", null, "docker.io/library/b:1", true)]
    [InlineData(null, "quay.io/a/b", "quay.io/a/b:7", true)]
    [InlineData(null, "quay.io/a/b:3", "quay.io/a/b:7", true)]
    [InlineData(null, "quay.io/a/b", "quay.io/a/c:7", false)]
    public void ExpectedNames(string? reference, string? repository, string signed, bool isAccepted)
    {
        var identity = reference is not null ? $$"""{"type":"exactReference","dockerReference":"{{reference}}"}""" : $$"""{"type":"exactRepository","dockerRepository":"{{repository}}"}""";
        Assert.Equal(isAccepted, Accepts(identity, null, signed));
        Assert.Equal(isAccepted, Accepts(identity, "mirror.example/x:9", signed));
    }

    [Theory]
    [InlineData("mirror:5000/vendor", "vendor.example", "mirror:5000/vendor/p/q:1", "vendor.example/p/q:1", true)]
    [InlineData("mirror:5000/vendor", "vendor.example", "mirror:5000/vendor/p/q@" + Digest, "vendor.example/p/q:1", true)]
    [InlineData("mirror:5000/vendor", "vendor.example", "mirror:5000/vendor/p/q:1", "mirror:5000/vendor/p/q:1", false)]
    [InlineData("mirror:5000/vendor", "vendor.example", "mirror:5000/vendors/p/q:1", "mirror:5000/vendors/p/q:1", true)]
    [InlineData("mirror:5000", "vendor.example", "mirror:5000/q:1", "vendor.example/q:1", true)]
    [InlineData("mirror.example", "vendor.example", "mirror.example:5000/q:1", "vendor.example:5000/q:1", false)]
    [InlineData("mirror.example/q", "vendor.example/r", "mirror.example/q:1", "vendor.example/r:1", true)]
    [InlineData("mirror.example", "short", "mirror.example/q:1", "short/q:1", false)]
    public void MappedNames(string prefix, string signedPrefix, string image, string signed, bool isAccepted) =>
        Assert.Equal(isAccepted, Accepts($$"""{"type":"remapIdentity","prefix":"{{prefix}}","signedPrefix":"{{signedPrefix}}"}""", image, signed));
}
