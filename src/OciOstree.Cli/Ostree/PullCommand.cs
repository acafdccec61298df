using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class PullCommand
{
    public static Command Create()
    {
        var commitsOnly = Opts.Flag("--commit-metadata-only", "Fetch only the commit metadata");
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var perObjectFsync = Opts.Flag("--per-object-fsync", "Perform writes in such a way that avoids stalling concurrent processes");
        var noDeltas = Opts.Flag("--disable-static-deltas", "Do not use static deltas, which are never used");
        var mirror = Opts.Flag("--mirror", "Write refs suitable for a mirror and fetches all refs if none provided");
        var subpath = Opts.Many("--subpath", "PATH", "Only pull the provided subpath(s)");
        var untrusted = Opts.Flag("--untrusted", "Verify checksums, which is always done");
        var httpTrusted = Opts.Flag("--http-trusted", "Do not insist on verifying checksums of HTTP sources; they are all the same");
        var bareUserOnly = Opts.Flag("--bareuseronly-files", "Reject regular files with mode outside of 0775 (world writable, suid, etc.)");
        var depth = Opts.Number("--depth", "DEPTH", "Traverse DEPTH parents (-1=infinite) (default: 0)");
        var url = Opts.Value("--url", "URL", "Pull objects from this URL instead of the one from the remote config");
        var headers = Opts.Many("--http-header", "NAME=VALUE", "Add NAME=VALUE as HTTP header to all requests");
        var retries = Opts.Number("--network-retries", "N", "Specifies how many times each download should be retried upon error (default: 5)");
        var connections = Opts.Number("--max-outstanding-fetcher-requests", "N", "The max amount of concurrent connections allowed. (default: 8)");
        var caches = Opts.Many("--localcache-repo", "REPO", "Add REPO as local cache source for objects during this pull", "-L");
        var newer = Opts.Flag("--timestamp-check", "Require fetched commits to have newer timestamps", "-T");
        var newerThan = Opts.Value("--timestamp-check-from-rev", "REV", "Require fetched commits to have newer timestamps than given rev");
        var noBindings = Opts.Flag("--disable-verify-bindings", "Do not verify commit bindings");
        var userAgent = Opts.Value("--append-user-agent", "STRING", "Append string to user agent");
        return new OstreeVerb("pull", "Download data from remote repository", "REMOTE [BRANCH...]", "ostree pull --repo=/srv/repo origin main")
        {
            commitsOnly, disableFsync, perObjectFsync, noDeltas, mirror, subpath, untrusted, httpTrusted, bareUserOnly, depth, url, headers, retries, connections, caches, newer, newerThan, noBindings, userAgent,
        }.Does((OstreeCall call) =>
        {
            call.Need(1, "REMOTE must be specified");
            if (call.Get(disableFsync))
                call.Repo.DisableFsync();
            if (call.Get(perObjectFsync))
                call.Repo.EnablePerObjectFsync();
            (string remote, List<string> branches) = Source(call.Words);
            List<Repo> cacheRepos = [];
            try
            {
                foreach (string path in call.Get(caches)!)
                    cacheRepos.Add(OstreeCall.Open(path));
                RemotePullStats stats = RemotePull.Run(call.Repo, remote, new RemotePullOptions
                {
                    Refs = branches.Count > 0 ? branches : null,
                    Url = call.Get(url),
                    Mirror = call.Get(mirror),
                    Depth = (int)(call.Get(depth) ?? 0),
                    CommitsOnly = call.Get(commitsOnly),
                    Subpaths = call.Get(subpath)!,
                    BareUserOnlyFiles = call.Get(bareUserOnly),
                    IgnoreBindings = call.Get(noBindings),
                    TimestampCheck = call.Get(newer),
                    TimestampCheckFrom = call.Get(newerThan),
                    LocalCaches = cacheRepos,
                    Headers = [.. call.Get(headers)!.Select(Header)],
                    Retries = (int)Math.Max(0, call.Get(retries) ?? 5),
                    Connections = (int)Math.Clamp(call.Get(connections) ?? 8, 1, 64),
                    // Servers are told what they know from ostree, for some let only that in.
                    UserAgent = $"libostree/{VersionAction.LibostreeVersion}",
                    UserAgentSuffix = call.Get(userAgent),
                }, Entry.Cancellation);
                call.Print(Describe(stats));
            }
            finally
            {
                foreach (Repo cache in cacheRepos)
                    cache.Dispose();
            }
        });
    }

    // REMOTE:BRANCH is one word for both.
    private static (string Remote, List<string> Branches) Source(IReadOnlyList<string> words)
    {
        List<string> branches = words.Skip(1).ToList();
        int colon = words[0].IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
            return (words[0], branches);
        branches.Insert(0, words[0][(colon + 1)..]);
        return (words[0][..colon], branches);
    }

    private static KeyValuePair<string, string> Header(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? throw new RepositoryException("Missing '=' in --http-header") : KeyValuePair.Create(text[..equals], text[(equals + 1)..]);
    }

    private static string Describe(RemotePullStats stats)
    {
        TransactionStats written = stats.Written;
        if (stats.BytesTransferred == 0)
            return $"{written.MetadataWritten} metadata, {written.ContentWritten} content objects imported; {SizeText.Of(written.ContentBytesWritten)} content written";
        long local = written.MetadataWritten - stats.MetadataFetched, localContent = written.ContentWritten - stats.ContentFetched;
        string cached = local > 0 || localContent > 0 ? $" ({Math.Max(0, local)} meta, {Math.Max(0, localContent)} content local)" : "";
        string bytes = stats.BytesTransferred < 1024 ? $"{stats.BytesTransferred} B" : $"{stats.BytesTransferred / 1024} KiB";
        return $"{stats.MetadataFetched} metadata, {stats.ContentFetched} content objects fetched{cached}; {bytes} transferred in {(long)stats.Duration.TotalSeconds} seconds; {SizeText.Of(written.ContentBytesWritten)} content written";
    }
}
