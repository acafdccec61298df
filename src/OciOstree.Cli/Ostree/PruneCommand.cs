using System.CommandLine;
using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class PruneCommand
{
    public static Command Create()
    {
        var dryRun = Opts.Flag("--no-prune", "Only display unreachable objects; don't delete");
        var refsOnly = Opts.Flag("--refs-only", "Only compute reachability via refs");
        var depth = Opts.Number("--depth", "DEPTH", "Only traverse DEPTH parents for each commit (default: -1=infinite)");
        var deleteCommit = Opts.Value("--delete-commit", "COMMIT", "Specify a commit to delete");
        var younger = Opts.Value("--keep-younger-than", "DATE", "Prune all commits older than the specified date");
        var deltasOnly = Opts.Flag("--static-deltas-only", "Change the behavior of delete-commit and keep-younger-than to prune only static deltas");
        var retain = Opts.Many("--retain-branch-depth", "BRANCH=DEPTH", "Additionally retain BRANCH=DEPTH commits");
        var onlyBranches = Opts.Many("--only-branch", "BRANCH", "Only prune BRANCH (may be specified multiple times)");
        var commitsOnly = Opts.Flag("--commit-only", "Only traverse and delete commit objects.");
        return new OstreeVerb("prune", "Search for unreachable objects", "", "ostree prune --repo=/srv/repo --refs-only --depth=2")
        {
            dryRun, refsOnly, depth, deleteCommit, younger, deltasOnly, retain, onlyBranches, commitsOnly,
        }.Does((OstreeCall call) =>
        {
            if (call.Get(deleteCommit) is { } commit)
            {
                if (call.Get(dryRun))
                    throw new UsageException("Cannot specify both --delete-commit and --no-prune", withHelp: true);
                if (!Checksum.TryParse(commit, out Checksum checksum))
                    throw new RepositoryException($"Invalid rev {commit}");
                if (call.Get(deltasOnly))
                    StaticDeltaStore.PruneOrphans(call.Repo, checksum);
                else
                    call.Repo.DeleteCommit(checksum);
            }
            else if (call.Get(deltasOnly))
            {
                throw new RepositoryException("--static-deltas-only requires --delete-commit; see https://github.com/ostreedev/ostree/issues/1479");
            }
            PruneResult result = call.Repo.Prune(new PruneOptions
            {
                RefsOnly = call.Get(refsOnly),
                DryRun = call.Get(dryRun),
                CommitsOnly = call.Get(commitsOnly),
                Depth = (int)(call.Get(depth) ?? -1),
                KeepYoungerThan = call.Get(younger) is { } date ? DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(DateText.Parse(date, DateTimeOffset.Now), DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds())) : null,
                RetainDepth = call.Get(retain)!.Select(BranchDepth).ToDictionary(StringComparer.Ordinal),
                OnlyBranches = call.Get(onlyBranches) is { Length: > 0 } branches ? branches : null,
            }, Entry.Cancellation);
            call.Print($"Total {(call.Get(commitsOnly) ? "(commit only) " : "")}objects: {result.ObjectsTotal}");
            if (result.ObjectsPruned == 0)
                call.Print("No unreachable objects");
            else if (call.Get(dryRun))
                call.Print($"Would delete: {result.ObjectsPruned} objects, freeing {SizeText.Of(result.BytesFreed)}");
            else
                call.Print($"Deleted {result.ObjectsPruned} objects, {SizeText.Of(result.BytesFreed)} freed");
        });
    }

    private static KeyValuePair<string, int> BranchDepth(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new RepositoryException($"Invalid value {text}, must specify BRANCH=DEPTH");
        return int.TryParse(text.AsSpan(equals + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int depth)
            ? KeyValuePair.Create(text[..equals], depth)
            : throw new RepositoryException($"Invalid depth {text[(equals + 1)..]}");
    }
}
