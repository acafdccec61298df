using System.Text.RegularExpressions;

namespace OciOstree.Cli.Tests;

/// <summary>What a user gets to read who makes a mistake, or whose machine does: one line that says what failed, on what, and what to do.</summary>
public sealed class WrongInputTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public WrongInputTests()
    {
        Directory.CreateDirectory(scratch["tree"]);
        File.WriteAllText(scratch["text"], new string('x', 1024));
        Assert.Equal(0, Called.Run("oci-ostree", "init", $"--repo={scratch["repo"]}", "--mode=archive").Code);
        Assert.Equal(0, Called.Run("oci-ostree", "commit", $"--repo={scratch["repo"]}", "-b", "os", scratch["tree"]).Code);
    }

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData(2, "Missing IMGREF_NEW", "container", "compare", "oci:x")]
    [InlineData(2, "Missing IMGREF", "rebase")]
    [InlineData(2, "Missing argument for --sysroot", "status", "--sysroot")]
    [InlineData(2, "Unknown command 'stauts'", "stauts")]
    [InlineData(2, "Unknown \"image\" subcommand 'pul'", "container", "image", "pul")]
    [InlineData(2, "No \"container\" subcommand specified", "container")]
    [InlineData(2, "--max-layers must be from 1 to 127, not 0", "container", "encapsulate", "--repo={}/repo", "--max-layers=0", "os", "oci:{}/image:1")]
    [InlineData(2, "Cannot parse integer value “many” for --max-layers", "container", "encapsulate", "--repo={}/repo", "--max-layers=many", "os", "oci:{}/image:1")]
    [InlineData(2, "Give either --check or --download-only", "upgrade", "--check", "--download-only")]
    [InlineData(2, "Unknown shell tcsh: bash, zsh and fish are known", "completion", "tcsh")]
    [InlineData(2, "Cannot parse boolean value 'perhaps' for --tls-verify", "inspect", "--tls-verify=perhaps", "oci:{}/image")]
    [InlineData(1, "opening repo: opendir({}/missing): No such file or directory", "ls", "--repo={}/missing", "os")]
    [InlineData(1, "Opening repository '{}/missing': open {}/missing: No such file or directory", "container", "image", "list", "--repo={}/missing")]
    [InlineData(1, "Opening repository '{}/tree': *", "container", "image", "list", "--repo={}/tree")]
    [InlineData(1, "Refspec 'nope' not found", "container", "encapsulate", "--repo={}/repo", "nope", "oci:{}/image:1")]
    [InlineData(1, "unknown transport 'nope' in image reference 'nope:x'", "inspect", "nope:x")]
    [InlineData(1, "invalid image reference 'x': want TRANSPORT:NAME, such as docker://host/name:tag or oci:directory:tag", "inspect", "x")]
    [InlineData(1, "invalid image name 'debian': short names are not looked up, write it with its registry, such as quay.io/debian", "inspect", "docker://debian")]
    [InlineData(1, "invalid ostree image reference scheme 'docker' in 'docker://quay.io/x/y': want one that says who vouches for the image, such as ostree-unverified-image:docker://host/name:tag", "rebase", "docker://quay.io/x/y")]
    [InlineData(1, "*127.0.0.1:1: connection refused", "inspect", "docker://127.0.0.1:1/x/y:z")]
    [InlineData(1, "reading the manifest of oci:{}/missing: {}/missing/index.json: no such file", "inspect", "oci:{}/missing")]
    [InlineData(1, "{}/tree: is a directory", "inspect", "oci-archive:{}/tree")]
    [InlineData(1, "{}/text: a header has a wrong checksum: not a tar archive, or a damaged one", "inspect", "oci-archive:{}/text")]
    [InlineData(1, "credentials file {}/missing: no such file", "container", "image", "copy", "--authfile={}/missing", "oci:{}/image", "docker://127.0.0.1:1/x/y:z")]
    [InlineData(1, "Reading {}/text: invalid manifest: 'x' is an invalid start of a value (line 1)", "container", "encapsulate", "--repo={}/repo", "--previous-build-manifest={}/text", "os", "oci:{}/image:1")]
    [InlineData(1, "open {}/missing: No such file or directory", "container", "encapsulate", "--repo={}/repo", "--contentmeta={}/missing", "os", "oci:{}/image:1")]
    [InlineData(1, "There is no ostree system in {}/tree (`oci-ostree admin init-fs {}/tree` prepares a file system for one)", "status", "--sysroot={}/tree")]
    [InlineData(1, "Opening the sysroot {}/missing: open {}/missing: No such file or directory", "upgrade", "--sysroot={}/missing")]
    [InlineData(1, "No such image: docker://quay.io/x/y:z", "container", "image", "history", "--repo={}/repo", "docker://quay.io/x/y:z")]
    [InlineData(1, "{}/tree is not a mount point: *", "install", "to-filesystem", "--imgref=ostree-unverified-image:oci:{}/image", "{}/tree")]
    [InlineData(1, "Remote \"nope\" not found", "pull", "--repo={}/repo", "nope")]
    [InlineData(1, "Importing the archive: a header has a wrong checksum: not a tar archive, or a damaged one", "tar", "import", "--repo={}/repo", "{}/text")]
    public void OneLineSaysWhatAndWhatToDo(int expectedCode, string expected, params string[] words)
    {
        (int code, string output, string error) = Called.Run("oci-ostree", [.. words.Select(word => word.Replace("{}", scratch.Path, StringComparison.Ordinal))]);
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string pattern = "^error: " + Regex.Escape(expected.Replace("{}", scratch.Path, StringComparison.Ordinal)).Replace(@"\*", ".+", StringComparison.Ordinal) + "$";
        Assert.Matches(pattern, lines[0]);
        Assert.Equal((expectedCode, ""), (code, output));
        // Who used a wrong word is told where the right ones are.
        Assert.All(lines[1..], line => Assert.StartsWith("See 'oci-ostree ", line));
        Assert.False(Directory.Exists(scratch["image"]));
    }

    [Fact]
    public void VerboseAddsWhereItFailed()
    {
        string error = Called.Run("oci-ostree", "--verbose", "inspect", "x").Error;
        Assert.StartsWith("error: invalid image reference 'x'", error);
        Assert.Contains("   at OciOstree.Registry.", error);
    }
}
