using OciOstree.Cli;

namespace OciOstree.Cli.Tests;

public class FailureTests
{
    [Fact]
    public void CausesFollowOutermostFirstOnOneLine()
    {
        var e = new InvalidOperationException("Importing x:y", new IOException("Fetching layer\nsha256:ab", new TimeoutException("no answer")));
        Assert.Equal("Importing x:y: Fetching layer sha256:ab: no answer", Failure.Describe(e));
    }

    [Fact]
    public void AnAggregateIsItsFirstCause()
    {
        var e = new InvalidOperationException("Merging", new AggregateException(new IOException("disk full"), new IOException("other")));
        Assert.Equal("Merging: disk full", Failure.Describe(e));
    }

    [Fact]
    public void NothingThatATerminalWouldObeyIsPrinted()
    {
        var e = new IOException("reading \u001b[2Jx\u0007\u009b1m\t\u202f\udc80\u007f", new IOException("line\r\nline"));
        Assert.Equal(@"reading \x1b[2Jx\x07\x9b1m" + "\t\u202f" + @"\x80\x7f: line line", Failure.Describe(e));
    }

    [Fact]
    public void AWrapperThatAlreadyTellsTheCauseIsNotFollowedByIt()
    {
        var e = new InvalidOperationException("Opening a: not there", new IOException("not there"));
        Assert.Equal("Opening a: not there", Failure.Describe(e));
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1, "1 byte")]
    [InlineData(999, "999 bytes")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(999_949, "999.9 kB")]
    [InlineData(999_950, "1.0 MB")]
    [InlineData(1_500_000_000, "1.5 GB")]
    public void SizesAreDecimal(long bytes, string expected) => Assert.Equal(expected, Output.Size(bytes));
}
