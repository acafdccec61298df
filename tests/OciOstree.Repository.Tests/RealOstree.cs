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

    public static string Word(RepoMode mode) => mode switch
    {
        RepoMode.Bare => "bare",
        RepoMode.BareUser => "bare-user",
        RepoMode.BareUserOnly => "bare-user-only",
        RepoMode.Archive => "archive",
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };
}
