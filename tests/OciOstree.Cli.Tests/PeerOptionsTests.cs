using System.CommandLine;
using OciOstree.Cli;

namespace OciOstree.Cli.Tests;

/// <summary>Every word and option of ostree-ext's command line, as scripts have them, is one of ours: under the name by which a stock ostree runs it, and under our own.</summary>
public class PeerOptionsTests
{
    private const string Image = "docker://quay.io/example/os:1", Reference = "ostree-unverified-registry:quay.io/example/os:1";
    private const string Proxy = "--auth-anonymous --authfile a --cert-dir c --insecure-skip-tls-verification";

    [Theory]
    [InlineData("container unencapsulate --repo r " + Proxy + " " + Reference + " --write-ref x --quiet")]
    [InlineData("container import --repo r " + Reference)]
    [InlineData("container info " + Reference)]
    [InlineData("container encapsulate --repo r rev " + Image + " --label a=b -l c=d --authfile a --config f --copymeta k --copymeta-opt o --cmd x --compression-fast --contentmeta m")]
    [InlineData("container export --repo r rev " + Image)]
    [InlineData("container commit")]
    [InlineData("container compare " + Reference + " " + Reference)]
    [InlineData("container image list --repo r")]
    [InlineData("container image pull r " + Reference + " --ostree-digestfile f " + Proxy + " --quiet --check f")]
    [InlineData("container image history --repo r " + Image)]
    [InlineData("container image metadata --repo r " + Image + " --config")]
    [InlineData("container image clear-cached-update --repo r " + Image)]
    [InlineData("container image copy --src-repo a --dest-repo b " + Reference)]
    [InlineData("container image reexport --repo r " + Image + " " + Image + " --authfile a --compression-fast")]
    [InlineData("container image replace-detached-metadata --src " + Image + " --dest " + Image + " contents")]
    [InlineData("container image replace-detached-metadata --src " + Image + " --dest " + Image)]
    [InlineData("container image remove --repo r " + Image + " " + Image + " --skip-gc")]
    [InlineData("container image prune-layers --repo r")]
    [InlineData("container image prune-images --sysroot s --and-layers")]
    [InlineData("container image prune-images --sysroot s --full")]
    [InlineData("container image deploy --sysroot s --stateroot o --imgref " + Reference + " --no-signature-verification " + Proxy + " --target-imgref " + Reference + " --no-imgref --karg a --karg b=c --write-commitid-to f")]
    [InlineData("container image deploy --image quay.io/example/os:1 --transport registry --enforce-container-sigpolicy --ostree-remote o")]
    [InlineData("tar import --repo r path")]
    [InlineData("tar import --repo r")]
    [InlineData("tar export --repo r --format-version 1 rev")]
    [InlineData("ima-sign --repo r rev ref sha256 key --overwrite")]
    [InlineData("provisional-repair analyze-inodes --repo r --verbose --write-result-to f")]
    [InlineData("provisional-repair repair --sysroot s --dry-run --write-result-to f --verbose")]
    public void Is_taken(string line)
    {
        foreach (string name in (string[])["ostree-container", "oci-ostree"])
        {
            string[] args = line.Split(' ');
            RootCommand root = Personality.Named(name).Build(ref args);
            ParseResult parsed = root.Parse(args);
            Assert.True(parsed.Errors.Count == 0, $"{name} {line}: {string.Join("; ", parsed.Errors.Select(error => error.Message))}");
            Assert.Empty(parsed.UnmatchedTokens);
        }
    }

    [Fact]
    public void What_is_no_option_is_not()
    {
        string[] args = ["container", "image", "pull", "r", Reference, "--no-such-option"];
        Assert.NotEmpty(Personality.Named("ostree-container").Build(ref args).Parse(args).Errors);
    }
}
