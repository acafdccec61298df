namespace OciOstree.Sysroot.Tests;

public class OsReleaseTests
{
    [Fact]
    public void Values_lose_their_quotes()
    {
        Dictionary<string, string> values = OsRelease.Parse("# A=comment\nPRETTY_NAME=\"Debian \\\"GNU\\\"/Linux\"\nID=debian\nX='a b'c\\ d\nBAD='open\nEMPTY=\nnothing here\n");
        Assert.Equal("Debian \"GNU\"/Linux", values["PRETTY_NAME"]);
        Assert.Equal("debian", values["ID"]);
        Assert.Equal("a bc d", values["X"]);
        Assert.Equal("", values["EMPTY"]);
        Assert.False(values.ContainsKey("BAD"));
        Assert.Equal(4, values.Count);
    }
}
