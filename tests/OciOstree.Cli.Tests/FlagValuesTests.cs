namespace OciOstree.Cli.Tests;

public class FlagValuesTests
{
    [Theory]
    [InlineData("ostree")]
    [InlineData("oci-ostree")]
    public void OstreesFlagsPassOverAValue(string calledAs)
    {
        var repo = Path.Combine(Path.GetTempPath(), $"flags-{Guid.NewGuid():n}");
        try
        {
            Assert.Equal(0, Called.Run(calledAs, "init", $"--repo={repo}").Code);
            Assert.Equal(0, Called.Run(calledAs, "remote", "add", $"--repo={repo}", "--no-gpg-verify=yes", "origin", "http://example.com/").Code);
            Assert.Contains("gpg-verify=false\n", File.ReadAllText(Path.Combine(repo, "config")));
            // An empty value is a value: it takes no other word for one.
            var (code, _, error) = Called.Run(calledAs, "find-remotes", $"--repo={repo}", "--finders=", "org.example", "a/b");
            Assert.NotEqual(0, code);
            Assert.EndsWith("error: List of finders in --finders option must not be empty\n", error);
        }
        finally
        {
            Directory.Delete(repo, recursive: true);
        }
    }

    [Theory]
    [InlineData("status", "--json=false")]
    [InlineData("upgrade", "--check=false")]
    public void OurOwnFlagsRefuseOne(params string[] words)
    {
        var (code, _, error) = Called.Run("oci-ostree", words);
        Assert.Equal(2, code);
        Assert.Equal($"error: {words[1][..words[1].IndexOf('=')]} takes no value\n", error);
    }
}
