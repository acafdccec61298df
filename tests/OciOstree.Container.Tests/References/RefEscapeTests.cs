using OciOstree.Registry;

namespace OciOstree.Container.Tests;

public class RefEscapeTests
{
    [Theory]
    [InlineData("foo", "foo")]
    [InlineData("foo/bar/baz-blah/foo", "foo/bar/baz-blah/foo")]
    [InlineData("localhost:5000/foo:latest", "localhost_3A_5000/foo_3A_latest")]
    [InlineData("docker://quay.io/exampleos/blah:latest", "docker_3A__2F__2F_quay_2E_io/exampleos/blah_3A_latest")]
    [InlineData("oci:/w/golden/alpha/oci-chunked", "oci_3A__2F_w/golden/alpha/oci-chunked")]
    [InlineData("sha256:ab", "sha256_3A_ab")]
    [InlineData("/", "_2F_")]
    [InlineData("blah/", "blah_2F_")]
    [InlineData("a_b__c", "a__b____c")]
    [InlineData("a-/b", "a-_2F_b")]
    [InlineData("ünï🦊", "_FC_n_EF__1F98A_")]
    public void EscapesAsThePeerAndBack(string text, string escaped)
    {
        Assert.Equal(escaped, RefEscape.Escape(text));
        Assert.Equal(text, RefEscape.Unescape(escaped));
    }

    [Fact]
    public void RandomTextSurvives()
    {
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, 1 + random.Next(20)).Select(_ => "ab/_-:.é日Z9@"[random.Next(12)]));
            var escaped = RefEscape.Escape(text);
            Assert.Equal(text, RefEscape.Unescape(escaped));
            Assert.DoesNotContain("//", escaped);
            Assert.All(escaped, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_'));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void RefusesWhatNoRefCanHold(string text) => Assert.Throws<ContainerException>(() => RefEscape.Escape(text));

    [Fact]
    public void RefusesBrokenUnicode() => Assert.Throws<ContainerException>(() => RefEscape.Escape("a\ud800"));

    [Theory]
    [InlineData("a.b")]
    [InlineData("_3A")]
    [InlineData("_")]
    [InlineData("_zz_")]
    [InlineData("_D800_")]
    [InlineData("_FFFFFFFFF_")]
    public void RefusesWhatIsNoEscape(string text) => Assert.Throws<ContainerException>(() => RefEscape.Unescape(text));

    [Fact]
    public void RefsAreNamedAfterDigestAndReference()
    {
        var digest = Digest.Compute("x"u8);
        Assert.Equal($"ostree/container/blob/sha256_3A_{digest.Hex}", ImageRefs.ForLayer(digest));
        Assert.Equal("ostree/container/image/docker_3A__2F__2F_quay_2E_io/a/b_3A_c", ImageRefs.ForImage(ImageReference.Parse("registry:quay.io/a/b:c")));
    }
}
