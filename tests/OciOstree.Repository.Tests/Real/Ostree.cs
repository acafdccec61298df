using OciOstree.Testing;

namespace OciOstree.Repository.Tests;

/// <summary>The real program, and repositories made with it.</summary>
internal static class Ostree
{
    public static ToolResult Run(string repo, string verb, params string[] arguments) => Tool.Run("ostree", [verb, $"--repo={repo}", .. arguments]);

    public static string Init(string path, RepoMode mode)
    {
        Run(path, "init", $"--mode={Word(mode)}").Ok();
        // Flushing is not what most tests are about, and costs them most of their time.
        Run(path, "config", "set", "core.fsync", "false").Ok();
        return path;
    }

    public static string Word(RepoMode mode) => mode == RepoMode.Archive ? "archive" : mode.ConfigWord();

    /// <summary>Commits a directory and gives the checksum.</summary>
    public static Checksum Commit(string repo, string tree, string branch, params string[] arguments) =>
        Checksum.Parse(Run(repo, "commit", [$"--branch={branch}", $"--tree=dir={tree}", "--timestamp=@1700000000", "--no-bindings", .. arguments]).Ok().OutputLine);

    public static string Listing(string repo, Checksum commit) => Run(repo, "ls", "-R", "-C", "-X", commit.ToString()).Ok().Output;

    /// <summary>What a mode can hold of the generated trees without changing it.</summary>
    public static TreeShape Shape(RepoMode mode) =>
        mode == RepoMode.BareUserOnly ? TreeShape.Plain with { EmptyXattrs = false } : new TreeShape { EmptyXattrs = false };
}
