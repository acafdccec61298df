namespace OciOstree.Registry.Tests;

public class DigestTests
{
    private const string Empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void Computes_what_sha256sum_says_of_nothing() => Assert.Equal(Empty, Digest.Compute([]).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:e3b0")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:../4298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555555")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ")]
    public void Refuses_what_could_not_be_a_file_name(string text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Throws<RegistryException>(() => Digest.Parse(text));
    }

    [Fact]
    public void Knows_longer_algorithms()
    {
        var digest = Digest.Parse("sha512:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData("x"u8)));
        Assert.True(digest.Matches("x"u8));
        Assert.False(digest.Matches("y"u8));
        Assert.Equal("sha512", digest.Algorithm);
    }

    [Fact]
    public void The_default_matches_nothing() => Assert.False(default(Digest).Matches([]));
}
