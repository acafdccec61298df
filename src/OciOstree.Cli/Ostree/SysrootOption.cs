using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>The verbs about remotes take a system root instead of a repository.</summary>
internal static class SysrootOption
{
    public static readonly Option<string?> Sysroot = Opts.Value("--sysroot", "PATH", "Use sysroot at PATH (overrides --repo)");

    /// <summary>The repository of the system root given, else the call's own. It lives as long as the process.</summary>
    public static Repo Open(OstreeCall call) =>
        call.Get(Sysroot) is { } sysroot ? OstreeCall.Open(Path.Combine(sysroot, "ostree", "repo")) : call.Repo;
}
