namespace OciOstree.Interop.Tests.Ostree;

/// <summary>
/// Every option that the real program's help shows, of the release installed here and of the newest, is in ours; a new one there fails here.
/// </summary>
public sealed class OptionListTests
{
    // What is left out, and why.
    private static readonly string[] Omitted = [];

    // Taken, but not shown: nothing to choose.
    private static readonly string[] Hidden = ["checkout --force-copy-zerosized", "commit --disable-fsync"];

    public static TheoryData<string> Verbs =>
    [
        "cat", "checkout", "checksum", "commit", "config", "create-usb", "diff", "export", "find-remotes", "fsck", "gpg-sign", "init", "log", "ls", "prune", "pull", "pull-local", "refs", "reset",
        "rev-parse", "show", "sign", "summary",
        "remote add", "remote delete", "remote show-url", "remote list", "remote list-cookies", "remote add-cookie", "remote delete-cookie", "remote refs", "remote summary", "remote gpg-import",
        "remote gpg-list-keys",
        "static-delta list", "static-delta show", "static-delta delete", "static-delta generate", "static-delta apply-offline", "static-delta verify", "static-delta indexes", "static-delta reindex",
    ];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void NoOptionIsMissing(string verb)
    {
        string[] words = [.. verb.Split(' '), "--help"];
        string[] ours = Shown(OurProgram.Ostree(words).Ok().Output);
        string[] real = Shown(Tool.Run("ostree", words).Ok().Output);
        string[] newest = Shown(SidOstree.Run(words).Ok().Output);
        string[] wanted = [.. real.Concat(newest).Distinct().Where(option => !Omitted.Contains($"{verb} {option}") && !Hidden.Contains($"{verb} {option}"))];
        Assert.NotEmpty(wanted);
        Assert.Equal([], wanted.Except(ours));
    }

    [Fact]
    public void WhatIsNotShownIsTaken()
    {
        using var scratch = new ScratchDirectory();
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        scratch.Write("tree/empty", "");
        OurProgram.Ostree("commit", "--repo=" + scratch["repo"], "-b", "main", "--disable-fsync", scratch["tree"]).Ok();
        OurProgram.Ostree("checkout", "--repo=" + scratch["repo"], "--force-copy-zerosized", "main", scratch["one"]).Ok();
        OurProgram.Ostree("checkout", "--repo=" + scratch["repo"], "-z", "main", scratch["two"]).Ok();
    }

    /// <summary>The long and the short names, of <c>  -u, --update=VALUE   What it does</c>.</summary>
    private static string[] Shown(string help) =>
    [
        .. help.Split('\n').Where(line => line.StartsWith("  -", StringComparison.Ordinal))
            .SelectMany(line => line.TrimStart().Split("  ")[0].Split(", ")).Select(option => option.Split('=')[0]).Distinct(),
    ];
}
