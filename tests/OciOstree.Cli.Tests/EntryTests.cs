using OciOstree.Cli;

namespace OciOstree.Cli.Tests;

public class EntryTests
{
    [Theory]
    [InlineData("oci-ostree", 2)]
    [InlineData("ostree", 1)]
    [InlineData("/usr/libexec/libostree/ext/ostree-container", 1)]
    public void WrongUsageExitsAsTheNameCalledByDoes(string calledAs, int expected)
    {
        var (code, _, error) = Run(calledAs, "no-such-verb");
        Assert.Equal(expected, code);
        Assert.StartsWith("error: Unknown command 'no-such-verb'\n", error);
    }

    [Fact]
    public void AMistypedOptionIsNotTakenForAnArgument()
    {
        var (code, _, error) = Run("oci-ostree", "completion", "--fisch");
        Assert.Equal(2, code);
        Assert.StartsWith("error: Unknown option --fisch\n", error);
    }

    [Fact]
    public void HelpEndsWithAnExample()
    {
        var (code, output, _) = Run("oci-ostree", "completion", "--help");
        Assert.Equal(0, code);
        Assert.EndsWith("Example:\n  source <(oci-ostree completion bash)\n\n", output);
    }

    [Fact]
    public void CompletionAsksTheProgramItself()
    {
        var (code, output, _) = Run("oci-ostree", "[suggest:13]", "oci-ostree co");
        Assert.Equal(0, code);
        Assert.Contains("completion", output.Split('\n'));
        Assert.Contains("container", output.Split('\n'));
    }

    private static (int Code, string Output, string Error) Run(string calledAs, params string[] args)
    {
        // The console is the process's own: tests that read it must not run beside each other.
        lock (typeof(Console))
        {
            var (oldOut, oldError) = (Console.Out, Console.Error);
            using var output = new StringWriter { NewLine = "\n" };
            using var error = new StringWriter { NewLine = "\n" };
            Console.SetOut(output);
            Console.SetError(error);
            try
            {
                return (Entry.Run(calledAs, args), output.ToString(), error.ToString());
            }
            finally
            {
                Console.SetOut(oldOut);
                Console.SetError(oldError);
            }
        }
    }
}
