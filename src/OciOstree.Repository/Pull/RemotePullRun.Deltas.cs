using System.Diagnostics;
using OciOstree.Formats.Keyfile;

namespace OciOstree.Repository;

internal sealed partial class RemotePullRun
{
    private DeltaPull? deltas;

    // A delta brings a whole tree, and what is on this machine need not be packed and unpacked.
    private bool UsesDeltas
    {
        get
        {
            if (!options.RequireDeltas)
                return options is { UseDeltas: true, CommitsOnly: false, Subpaths.Count: 0 } && local is null && destination.Mode != RepoMode.Archive;
            return destination.Mode != RepoMode.Archive ? !options.CommitsOnly : throw new RepositoryException("Can't use static deltas in an archive repo");
        }
    }

    private void BringByDeltas(List<PullTarget> targets, KeyFile? config)
    {
        transaction.Resume();
        deltas = new DeltaPull(transaction, access, cancellation)
        {
            IsRequired = options.RequireDeltas,
            DryRun = options.DryRun,
            BareUserOnlyFiles = options.BareUserOnlyFiles,
            NeedsDigest = signatures.CoverSummary,
            Check = (target, bytes, metadata) => CheckCommit(target.Commit, target, bytes, Commit.Parse(bytes), metadata),
            Progress = (done, total) => options.Progress(done, total, access.BytesTransferred),
        };
        if (config is not null)
            deltas.ReadConfig(config);
        // Who asked for commits has not needed the summary yet.
        if (summary is null && !deltas.HasIndexes && !NeedsSummary)
            summary = RemoteSummary.Fetch(destination, remote, access, options.CacheDirectory);
        if (summary is not null)
            deltas.ReadSummary(summary.Content[1]);
        deltas.RequireSome();
        foreach (PullTarget target in targets)
            deltas.Bring(target, target.Ref is null ? null : Current(target));
        metadataFetched += deltas.FilesFetched;
    }

    private RemotePullStats Stats(TransactionStats written)
    {
        if (local is not null && deltas is null)
            return new RemotePullStats((int)written.MetadataWritten, (int)written.ContentWritten, 0, Stopwatch.GetElapsedTime(start), written) { IsImport = true };
        return new RemotePullStats(metadataFetched, contentFetched, access.BytesTransferred, Stopwatch.GetElapsedTime(start), written) { Deltas = deltas?.Stats };
    }
}
