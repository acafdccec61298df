using OciOstree.Cli;

namespace OciOstree.Cli.Tests;

public class EntryTests
{
    [Theory]
    [InlineData("oci-ostree", 2)]
    [InlineData("ostree", 1)]
    [InlineData("/usr/libexec/libostree/ext/ostree-container", 2)]
    public void WrongUsageExitsAsTheNameCalledByDoes(string calledAs, int expected)
    {
        var (code, _, error) = Called.Run(calledAs, "no-such-verb");
        Assert.Equal(expected, code);
        Assert.Contains("error: Unknown command 'no-such-verb'\n", error);
    }

    [Fact]
    public void OstreeWithoutACommandListsThem()
    {
        var (code, output, error) = Called.Run("ostree");
        Assert.Equal(1, code);
        Assert.Equal("", output);
        Assert.StartsWith("Usage:\n  ostree [OPTION…] COMMAND\n\nBuiltin Commands:\n", error);
        Assert.EndsWith("\nerror: No command specified\n", error);
        (code, _, error) = Called.Run("ostree", "remote", "nope");
        Assert.Equal(1, code);
        Assert.Contains("Builtin \"remote\" Commands:\n", error);
        Assert.EndsWith("\nerror: Unknown \"remote\" subcommand 'nope'\n", error);
    }

    [Fact]
    public void OstreesHelpHasOstreesForm()
    {
        var (code, output, _) = Called.Run("ostree", "log", "--help");
        Assert.Equal(0, code);
        Assert.Equal(
            "Usage:\n  ostree log [OPTION…] REV\n\nShow log starting at commit or ref\n\nHelp Options:\n  -h, --help        Show help options\n\n" +
            "Application Options:\n  --repo=PATH       Path to OSTree repository (defaults to current directory or /sysroot/ostree/repo)\n" +
            "  --raw             Show raw variant data\n  -v, --verbose     Print debug information during command processing\n" +
            "  --version         Print version information and exit\n\n", output);
    }

    [Fact]
    public void OptionsMayStandBeforeOstreesCommands()
    {
        var repo = Path.Combine(Path.GetTempPath(), $"entry-{Guid.NewGuid():n}");
        try
        {
            Assert.Equal(0, Called.Run("ostree", $"--repo={repo}", "--mode=archive", "init").Code);
            Assert.Equal(0, Called.Run("ostree", "--repo", repo, "remote", "--set=tls-permissive=true", "add", "origin", "http://example.com/", "main").Code);
            Assert.Equal("[core]\nrepo_version=1\nmode=archive-z2\n\n[remote \"origin\"]\nurl=http://example.com/\nbranches=main;\ntls-permissive=true\n", File.ReadAllText(Path.Combine(repo, "config")));
        }
        finally
        {
            Directory.Delete(repo, recursive: true);
        }
    }

    [Fact]
    public void VersionNeedsNoCommand()
    {
        var (code, output, _) = Called.Run("ostree", "--version");
        Assert.Equal(0, code);
        Assert.StartsWith("libostree:\n Version: '", output);
    }

    [Fact]
    public void AMistypedOptionIsNotTakenForAnArgument()
    {
        var (code, _, error) = Called.Run("oci-ostree", "completion", "--fisch");
        Assert.Equal(2, code);
        Assert.StartsWith("error: Unknown option --fisch\n", error);
    }

    [Fact]
    public void HelpEndsWithAnExample()
    {
        var (code, output, _) = Called.Run("oci-ostree", "completion", "--help");
        Assert.Equal(0, code);
        Assert.EndsWith("Example:\n  source <(oci-ostree completion bash)\n\n", output);
    }

    [Fact]
    public void APathIsNoRequestForHelp()
    {
        var (code, _, error) = Called.Run("ostree", "ls", "--repo=/nonexistent", "main", "/h");
        Assert.Equal(1, code);
        Assert.StartsWith("error: opening repo: ", error);
    }

    [Fact]
    public void HelpIsAWord()
    {
        Assert.Equal(Called.Run("oci-ostree", "container", "image", "--help"), Called.Run("oci-ostree", "help", "container", "image"));
        Assert.Contains("\nThis machine:\n  status ", Called.Run("oci-ostree", "help").Output);
    }

    [Fact]
    public void CompletionAsksTheProgramItself()
    {
        var (code, output, _) = Called.Run("oci-ostree", "[suggest:13]", "oci-ostree co");
        Assert.Equal(0, code);
        Assert.Contains("completion", output.Split('\n'));
        Assert.Contains("container", output.Split('\n'));
    }
}
