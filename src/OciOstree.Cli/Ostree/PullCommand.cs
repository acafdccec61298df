using System.CommandLine;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class PullCommand
{
    /// <summary>Servers are told what they know from ostree, for some let only that in.</summary>
    public const string UserAgent = $"libostree/{VersionAction.LibostreeVersion}";

    public static Command Create()
    {
        var commitsOnly = Opts.Flag("--commit-metadata-only", "Fetch only the commit metadata");
        var disableFsync = Opts.Flag("--disable-fsync", "Do not invoke fsync()");
        var perObjectFsync = Opts.Flag("--per-object-fsync", "Perform writes in such a way that avoids stalling concurrent processes");
        var noDeltas = Opts.Flag("--disable-static-deltas", "Do not use static deltas");
        var onlyDeltas = Opts.Flag("--require-static-deltas", "Require static deltas");
        var dryRun = Opts.Flag("--dry-run", "Only print information on what will be downloaded (requires static deltas)");
        var mirror = Opts.Flag("--mirror", "Write refs suitable for a mirror and fetches all refs if none provided");
        var subpath = Opts.Many("--subpath", "PATH", "Only pull the provided subpath(s)");
        var untrusted = Opts.Flag("--untrusted", "Verify checksums of local sources (always enabled for HTTP pulls)");
        var httpTrusted = Opts.Flag("--http-trusted", "Carry on files that an HTTP source has damaged, with a warning (archives only, mostly useful when mirroring)");
        var cacheDir = Opts.Value("--cache-dir", "DIR", "Use custom cache dir");
        var noRetry = Opts.Flag("--disable-retry-on-network-errors", "Do not retry when servers fail or cannot be reached; a transfer that broke off still goes on");
        var retryAll = Opts.Flag("--retry-all-network-errors", "Retry also when servers fail or cannot be reached, which is the default");
        var lowSpeed = Opts.Number("--low-speed-limit-bytes", "N", "The average transfer speed per second, during the time set by --low-speed-time-seconds, below which a transfer is given up (default: 1000)");
        var lowSpeedTime = Opts.Number("--low-speed-time-seconds", "N", "The time in seconds that the transfer speed may be below --low-speed-limit-bytes (default: 30)");
        var frequency = Opts.Number("--update-frequency", "FREQUENCY", "Sets the update frequency, in milliseconds (0=1000ms) (default: 0)");
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
            onlyDeltas, dryRun, cacheDir, noRetry, retryAll, lowSpeed, lowSpeedTime, frequency,
        }.Does((OstreeCall call) =>
        {
            call.Need(1, "REMOTE must be specified");
            if (call.Get(disableFsync))
                call.Repo.DisableFsync();
            if (call.Get(perObjectFsync))
                call.Repo.EnablePerObjectFsync();
            if (call.Get(noRetry) && call.Get(retryAll))
                throw new UsageException("Cannot specify both --disable-retry-on-network-errors and --retry-all-network-errors", withHelp: true);
            if (call.Get(dryRun) && !call.Get(onlyDeltas))
                throw new RepositoryException("--dry-run requires --require-static-deltas");
            if (call.Get(noDeltas) && call.Get(onlyDeltas))
                throw new UsageException("Cannot specify both --disable-static-deltas and --require-static-deltas", withHelp: true);
            (string remote, List<string> branches) = Source(call.Words);
            List<Repo> cacheRepos = [];
            try
            {
                foreach (string path in call.Get(caches)!)
                    cacheRepos.Add(OstreeCall.Open(path));
                using PullProgress progress = new((int)Math.Clamp(call.Get(frequency) ?? 0, 0, int.MaxValue));
                RemotePullStats stats = RemotePull.Run(call.Repo, remote, new RemotePullOptions
                {
                    Refs = branches.Count > 0 ? branches : null,
                    Url = call.Get(url),
                    Mirror = call.Get(mirror),
                    Depth = (int)(call.Get(depth) ?? 0),
                    CommitsOnly = call.Get(commitsOnly),
                    Subpaths = call.Get(subpath)!,
                    Untrusted = call.Get(untrusted),
                    HttpTrusted = call.Get(httpTrusted),
                    Damaged = Failure.Warn,
                    UseDeltas = !call.Get(noDeltas),
                    RequireDeltas = call.Get(onlyDeltas),
                    DryRun = call.Get(dryRun),
                    CacheDirectory = call.Get(cacheDir),
                    RetryAll = !call.Get(noRetry),
                    LowSpeedLimit = Math.Max(0, call.Get(lowSpeed) ?? 1000),
                    LowSpeedTime = TimeSpan.FromSeconds(Math.Clamp(call.Get(lowSpeedTime) ?? 30, 0, int.MaxValue / 1000)),
                    BareUserOnlyFiles = call.Get(bareUserOnly),
                    IgnoreBindings = call.Get(noBindings),
                    TimestampCheck = call.Get(newer),
                    TimestampCheckFrom = call.Get(newerThan),
                    LocalCaches = cacheRepos,
                    Headers = [.. call.Get(headers)!.Select(Header)],
                    Retries = (int)Math.Max(0, call.Get(retries) ?? 5),
                    Connections = (int)Math.Clamp(call.Get(connections) ?? 8, 1, 64),
                    UserAgent = UserAgent,
                    UserAgentSuffix = call.Get(userAgent),
                    Progress = progress.Report,
                }, Entry.Cancellation);
                progress.Dispose();
                call.Print(call.Get(dryRun) && stats.Deltas is { } deltas ? PullText.OfDryRun(deltas) : PullText.Of(stats));
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
}
