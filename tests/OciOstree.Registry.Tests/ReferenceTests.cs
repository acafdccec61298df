namespace OciOstree.Registry.Tests;

public class ReferenceTests
{
    [Theory]
    [InlineData("docker://quay.io/a/b:c", Transport.Registry, "quay.io/a/b:c", "docker://quay.io/a/b:c")]
    [InlineData("registry:quay.io/a/b:c", Transport.Registry, "quay.io/a/b:c", "docker://quay.io/a/b:c")]
    [InlineData("oci:/some/where:tag", Transport.Oci, "/some/where:tag", "oci:/some/where:tag")]
    [InlineData("oci-archive:/a.tar", Transport.OciArchive, "/a.tar", "oci-archive:/a.tar")]
    [InlineData("dir:x", Transport.Dir, "x", "dir:x")]
    [InlineData("docker-archive:x:y", Transport.DockerArchive, "x:y", "docker-archive:x:y")]
    [InlineData("docker-daemon:a:b", Transport.DockerDaemon, "a:b", "docker-daemon:a:b")]
    [InlineData("containers-storage:localhost/a", Transport.ContainersStorage, "localhost/a", "containers-storage:localhost/a")]
    public void Reads_and_writes_as_containers_image_does(string text, Transport transport, string name, string written)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal((transport, name), (reference.Transport, reference.Name));
        Assert.Equal(written, reference.ToString());
    }

    [Theory]
    [InlineData("quay.io/a/b")]
    [InlineData("http://quay.io/a")]
    [InlineData("docker:quay.io/a")]
    [InlineData("docker://")]
    [InlineData("oci:")]
    [InlineData("")]
    public void Refuses_other_references(string text) => Assert.Throws<RegistryException>(() => ImageReference.Parse(text));

    [Theory]
    [InlineData("quay.io/a/b", "quay.io", "a/b", "latest")]
    [InlineData("localhost/a", "localhost", "a", "latest")]
    [InlineData("127.0.0.1:5000/a/b:v1", "127.0.0.1:5000", "a/b", "v1")]
    [InlineData("[::1]:5000/a:v", "[::1]:5000", "a", "v")]
    [InlineData("docker.io/debian:13", "docker.io", "library/debian", "13")]
    [InlineData("registry-1.docker.io/x/y", "docker.io", "x/y", "latest")]
    [InlineData("q.io/a__b/c--d/e.f_g:V.1-x_", "q.io", "a__b/c--d/e.f_g", "V.1-x_")]
    public void Takes_names_apart(string text, string host, string repository, string tag)
    {
        var name = RegistryName.Parse(text);
        Assert.Equal((host, repository, tag), (name.Host, name.Repository, name.Tag));
    }

    [Fact]
    public void A_digest_wins_over_a_tag()
    {
        var digest = Digest.Compute([]);
        Assert.Equal(digest.ToString(), RegistryName.Parse($"q.io/a:v1@{digest}").Reference);
        Assert.Null(RegistryName.Parse($"q.io/a@{digest}").Tag);
    }

    [Theory]
    [InlineData("debian", "short names")]
    [InlineData("library/debian:13", "short names")]
    [InlineData("quay.io/", "lower-case")]
    [InlineData("quay.io/A", "lower-case")]
    [InlineData("quay.io/a//b", "lower-case")]
    [InlineData("quay.io/a/../b", "lower-case")]
    [InlineData("quay.io/a..b", "lower-case")]
    [InlineData("quay.io/a___b", "lower-case")]
    [InlineData("quay.io/-a", "lower-case")]
    [InlineData("quay.io/a:", "tag")]
    [InlineData("quay.io/a:-x", "tag")]
    [InlineData("quay.io/a:x y", "tag")]
    [InlineData("quay.io/a@sha256:1", "digest")]
    [InlineData("user@quay.io/a", "digest")]
    [InlineData("quay.io?x/a", "host")]
    public void Says_why_a_name_is_none(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<RegistryException>(() => RegistryName.Parse(text)).Message);
}
