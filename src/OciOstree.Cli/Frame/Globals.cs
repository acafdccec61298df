using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>The options that may stand anywhere on the command line.</summary>
internal static class Globals
{
    public static readonly Option<bool> Verbose = Recursive(Opts.Flag("--verbose", "Print debug information during command processing", "-v"));

    /// <summary>The repository; ostree's verbs fall back to <c>OSTREE_REPO</c>, the current directory, then the system's.</summary>
    public static readonly Option<string?> Repo = Recursive(Opts.Value("--repo", "PATH", "Path to OSTree repository (defaults to current directory or /sysroot/ostree/repo)"));

    private static Option<T> Recursive<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }
}
