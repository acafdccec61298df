namespace OciOstree.Interop.Tests.Repository;

/// <summary>
/// The real <c>ostree</c> and ours doing the same, each with files of its own. In their words <c>{name}</c> stands for the program's own file of
/// that name, <c>{other-name}</c> for the other program's.
/// </summary>
internal sealed class ProgramPair(string name) : IDisposable
{
    private const string Real = "real", Ours = "ours";

    public ScratchDirectory Scratch { get; } = new(name);

    /// <summary>With <c>OCI_OSTREE_KEEP</c> set the files stay, to be looked at.</summary>
    public void Dispose()
    {
        if (Environment.GetEnvironmentVariable("OCI_OSTREE_KEEP") is null)
            Scratch.Dispose();
    }

    /// <summary>Both run it, with the same exit code and output. False if both failed; which of several things in the way is met first depends on the order of files.</summary>
    public bool Both(params string[] words)
    {
        (ToolResult real, ToolResult ours) = Each(words);
        AssertSame(words, real, ours);
        return real.ExitCode == 0;
    }

    /// <summary>Both run it; what they say is for the caller to compare.</summary>
    public (ToolResult Real, ToolResult Ours) Each(string[] words) => (Run("ostree", Real, Ours, words), Run(OurProgram.Path("ostree"), Ours, Real, words));

    /// <summary>Both run it on the other one's files, and on their own.</summary>
    public void Crossed(params string[] words)
    {
        Both(words);
        AssertSame(words, Run("ostree", Ours, Real, words), Run(OurProgram.Path("ostree"), Real, Ours, words));
    }

    /// <summary>What lies in both repositories is the same, to the bit where the format leaves no freedom (a compressed object's bytes are the compressor's).</summary>
    public void AssertSameRepositories(string repo)
    {
        string[] real = Stored(Path(Real, repo)), ours = Stored(Path(Ours, repo));
        if (!real.SequenceEqual(ours))
            throw new ToolException($"{repo} differs:\n- {string.Join("\n- ", real.Except(ours).Take(10))}\n+ {string.Join("\n+ ", ours.Except(real).Take(10))}");
        if (!File.ReadAllText(Path(Real, repo) + "/config").Contains("archive", StringComparison.Ordinal))
            TreeSnapshot.AssertEqual(Path(Real, repo) + "/objects", Path(Ours, repo) + "/objects");
    }

    public void AssertSameTrees(string tree)
    {
        if (Directory.Exists(Path(Real, tree)) || Directory.Exists(Path(Ours, tree)))
            TreeSnapshot.AssertEqual(Path(Real, tree), Path(Ours, tree), SnapshotDetails.Default | SnapshotDetails.LinkCounts);
    }

    /// <summary>The same exit code, and the same output if both succeeded.</summary>
    public static void AssertSame(string[] words, ToolResult real, ToolResult ours)
    {
        string at = string.Join(' ', words) + "\n";
        Assert.Equal($"{at}{real.ExitCode}", $"{at}{ours.ExitCode}");
        if (real.ExitCode == 0 && !real.OutputBytes.AsSpan().SequenceEqual(ours.OutputBytes))
            Assert.Equal(at + real.Output, at + ours.Output);
    }

    private ToolResult Run(string program, string own, string other, string[] words) => Tool.Run(new ToolStart(program) { Directory = Scratch.Path }, [.. words.Select(word => Expand(word, own, other))]);

    private string Expand(string word, string own, string other)
    {
        int start = word.IndexOf('{', StringComparison.Ordinal), end = word.IndexOf('}', StringComparison.Ordinal);
        if (start < 0 || end < start)
            return word;
        string file = word[(start + 1)..end];
        return word[..start] + (file.StartsWith("other-", StringComparison.Ordinal) ? Path(other, file["other-".Length..]) : Path(own, file)) + word[(end + 1)..];
    }

    private string Path(string owner, string file) => Scratch[$"{owner}-{file}"];

    // Names, types, modes and owners of all that stays after a run, refs and the configuration with what is in them.
    private static string[] Stored(string repo) => Tool.Shell($"""
        cd '{repo}'
        find . -path ./tmp -prune -o -name .lock -prune -o -printf '%p %y %m %U:%G %l\n' | LC_ALL=C sort
        find refs -type f | LC_ALL=C sort | xargs -rd '\n' grep -H .
        cat config
        """).Ok().OutputLines;
}
