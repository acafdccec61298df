namespace OciOstree.Repository.Tests;

/// <summary>The real <c>ostree</c>, which says what is right.</summary>
internal static class RealOstree
{
    public const string Timestamp = "2024-01-02 03:04:05 +0000";
    public const ulong TimestampSeconds = 1704164645;

    public static void Init(string repo, RepoMode mode) => Tool.Run("ostree", "init", "--repo=" + repo, "--mode=" + Word(mode)).Ok();

    /// <summary>Commits to the branch <c>test</c> without bindings.</summary>
    public static Checksum Commit(string repo, params string[] arguments) =>
        Checksum.Parse(Tool.Run("ostree", ["commit", "--repo=" + repo, "-b", "test", "--no-bindings", "--timestamp=" + Timestamp, "--parent=none", .. arguments]).Ok().OutputLine);

    public static void Fsck(string repo) => Tool.Run("ostree", "fsck", "--repo=" + repo).Ok();

    public static ToolResult Checkout(string repo, string destination, params string[] options) =>
        Tool.Run("ostree", ["checkout", "--repo=" + repo, .. options, "test", destination]);

    /// <summary>Fails with the first lines in which two commits differ, if they do.</summary>
    public static void AssertSameCommit(string theirs, Checksum expected, string ours, Checksum actual)
    {
        if (expected == actual)
            return;
        string[] List(string repo, Checksum commit) => Tool.Run("ostree", "ls", "-R", "-C", "-X", "--repo=" + repo, commit.ToString(), "/").Ok().OutputLines;
        string[] one = List(theirs, expected), two = List(ours, actual);
        throw new ToolException($"expected {expected}, got {actual}:\n"
            + string.Join('\n', one.Except(two).Take(10).Select(line => "- " + line).Concat(two.Except(one).Take(10).Select(line => "+ " + line))));
    }

    public static string Word(RepoMode mode) => mode switch
    {
        RepoMode.Bare => "bare",
        RepoMode.BareUser => "bare-user",
        RepoMode.BareUserOnly => "bare-user-only",
        RepoMode.Archive => "archive",
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };
}
