using OciOstree.Registry;

namespace OciOstree.Container.Tests;

public class OstreeImageReferenceTests
{
    [Theory]
    [InlineData("ostree-unverified-registry:quay.io/a/b", "ostree-unverified-registry:quay.io/a/b")]
    [InlineData("ostree-unverified-image:registry:quay.io/a/b", "ostree-unverified-registry:quay.io/a/b")]
    [InlineData("ostree-unverified-image:docker://quay.io/a/b", "ostree-unverified-registry:quay.io/a/b")]
    [InlineData("ostree-unverified-image:oci:/p/q:tag", "ostree-unverified-image:oci:/p/q:tag")]
    [InlineData("ostree-image-signed:registry:quay.io/a/b@sha256:abc", "ostree-image-signed:docker://quay.io/a/b@sha256:abc")]
    [InlineData("ostree-remote-registry:fedora:quay.io/a/b", "ostree-remote-image:fedora:docker://quay.io/a/b")]
    [InlineData("ostree-remote-image:r:oci-archive:/x.tar", "ostree-remote-image:r:oci-archive:/x.tar")]
    public void ReadsEverySpellingAndWritesTheCanonicalOne(string text, string canonical)
    {
        var reference = OstreeImageReference.Parse(text);
        Assert.Equal(canonical, reference.ToString());
        Assert.Equal(reference, OstreeImageReference.Parse(canonical));
    }

    [Fact]
    public void NamesTheRemote()
    {
        var reference = OstreeImageReference.Parse("ostree-remote-registry:fedora:quay.io/a/b");
        Assert.Equal("fedora", reference.Source.RemoteName);
        Assert.Equal(new ImageReference(Transport.Registry, "quay.io/a/b"), reference.Image);
    }

    [Theory]
    [InlineData("", "want SIGNATURE:TRANSPORT:NAME")]
    [InlineData("quay.io/a/b", "want SIGNATURE:TRANSPORT:NAME")]
    [InlineData("docker://quay.io/a/b", "scheme 'docker'")]
    [InlineData("ostree-remote-image:onlyremote", "want SIGNATURE:TRANSPORT:NAME")]
    [InlineData("ostree-remote-image::registry:x", "no remote name")]
    [InlineData("ostree-unverified-image:bogus:x", "unknown transport 'bogus'")]
    public void RefusesTheRest(string text, string reason)
    {
        var e = Assert.Throws<ContainerException>(() => OstreeImageReference.Parse(text));
        Assert.Contains(reason, e.Message + (e.InnerException?.Message ?? ""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("oci:/srv/os:1", "oci:/srv/os:1")]
    [InlineData("ostree-unverified-image:oci:/srv/os:1", "oci:/srv/os:1")]
    [InlineData("ostree-unverified-registry:quay.io/os/os:1", "docker://quay.io/os/os:1")]
    [InlineData("ostree-image-signed:docker://quay.io/os/os:1", "docker://quay.io/os/os:1")]
    public void An_image_is_meant_in_either_spelling(string text, string image) =>
        Assert.Equal(ImageReference.Parse(image), OstreeImageReference.ParseEither(text));
}
