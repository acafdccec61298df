namespace OciOstree.Interop.Tests.Admin;

public sealed class AdminHelpTests
{
    [Theory]
    [InlineData("cleanup")]
    [InlineData("config-diff")]
    [InlineData("deploy")]
    [InlineData("init-fs")]
    [InlineData("set-origin")]
    [InlineData("status")]
    [InlineData("switch")]
    [InlineData("undeploy")]
    [InlineData("unlock")]
    [InlineData("upgrade")]
    [InlineData("kargs edit-in-place")]
    [InlineData("instutil set-kargs")]
    [InlineData("instutil grub2-generate")]
    public void Help_has_what_the_real_one_has(string verb)
    {
        string[] words = ["admin", .. verb.Split(' '), "--help"];
        string[] ours = OurProgram.Ostree(words).Ok().OutputLines;
        string[] real = Tool.Run("ostree", words).Ok().OutputLines;
        Assert.Equal(real[..Array.IndexOf(real, "Help Options:")], ours[..Array.IndexOf(ours, "Help Options:")].Select(line => line.Replace(OurProgram.Path("ostree"), "ostree", StringComparison.Ordinal)));
        foreach (string line in real.Where(line => line.TrimStart().StartsWith('-')))
        {
            // Columns are as wide as the longest option, and ours has later ones, too.
            Assert.Contains(ours, other => Squeeze(other).StartsWith(Squeeze(line), StringComparison.Ordinal));
        }
    }

    private static string Squeeze(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
