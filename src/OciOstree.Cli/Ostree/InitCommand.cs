using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class InitCommand
{
    public static Command Create()
    {
        var mode = Opts.Value("--mode", null!, "Initialize repository in given mode (bare, bare-user, bare-user-only, archive)");
        var collection = Opts.Value("--collection-id", "COLLECTION-ID", "Globally unique ID for this repository as an collection of refs for redistribution to other repositories");
        return new OstreeVerb("init", "Initialize a new empty repository", "", "ostree init --repo=/srv/repo --mode=archive") { mode, collection }.Does((OstreeCall call) =>
        {
            string path = call.RepoPath ?? (Directory.Exists(OstreeCall.DefaultRepoPath())
                ? OstreeCall.DefaultRepoPath()
                : throw new UsageException("Command requires a --repo argument", withHelp: true));
            Repo.Create(path, RepoModes.Parse(call.Get(mode) ?? "bare"), call.Get(collection)).Dispose();
        });
    }
}
