using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class PullCommand
{
    public static Command Create()
    {
        var commitsOnly = Opts.Flag("--commit-metadata-only", "Fetch only the commit metadata");
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var noDeltas = Opts.Flag("--disable-static-deltas", "Do not use static deltas");
        var bareUserOnly = Opts.Flag("--bareuseronly-files", "Reject regular files with mode outside of 0775 (world writable, suid, etc.)");
        var untrusted = Opts.Flag("--untrusted", "Verify checksums of local sources (always enabled for HTTP pulls)");
        var depth = Opts.Number("--depth", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)");
        var url = Opts.Value("--url", "URL", "Pull objects from this URL instead of the one from the remote config");
        var noBindings = Opts.Flag("--disable-verify-bindings", "Do not verify commit bindings");
        return new OstreeVerb("pull", "Download data from remote repository", "REMOTE [BRANCH...]", "ostree pull --repo=/srv/repo origin main")
        {
            commitsOnly, disableFsync, noDeltas, bareUserOnly, untrusted, depth, url, noBindings,
        }.Does((OstreeCall call) =>
        {
            call.Need(1, "REMOTE must be specified");
            if (call.Get(disableFsync))
                call.Repo.DisableFsync();
            string remote = call.Words[0];
            List<string> branches = call.Words.Skip(1).ToList();
            // REMOTE:BRANCH is one word for both.
            if (remote.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon)
            {
                branches.Insert(0, remote[(colon + 1)..]);
                remote = remote[..colon];
            }
            TransactionStats stats = RemotePull.Run(call.Repo, remote, new LocalPullOptions
            {
                Refs = branches.Count > 0 ? branches : null,
                Depth = (int)(call.Get(depth) ?? 0),
                CommitsOnly = call.Get(commitsOnly),
                Untrusted = call.Get(untrusted),
                BareUserOnlyFiles = call.Get(bareUserOnly),
                IgnoreBindings = call.Get(noBindings),
            }, call.Get(url));
            call.Print($"{stats.MetadataWritten} metadata, {stats.ContentWritten} content objects imported; {SizeText.Of(stats.ContentBytesWritten)} content written");
        });
    }
}
