using System.Diagnostics;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

public static partial class LocalPull
{
    private const long MaxSummarySize = 256 << 20;

    /// <summary>
    /// As <see cref="Run"/>, by the source's static deltas as over a network: how they are tried without a server. Objects that they
    /// leave out are linked or copied.
    /// </summary>
    /// <exception cref="RepositoryException">There is no delta to a commit, or something is missing or damaged; the destination is then as it was.</exception>
    public static RemotePullStats RunByDeltas(Repo source, Repo destination, LocalPullOptions options, CancellationToken cancellation = default)
    {
        long start = Stopwatch.GetTimestamp();
        if (destination.Mode == RepoMode.Archive)
            throw new RepositoryException("Can't use static deltas in an archive repo");
        using RepoLock.Holder hold = source.Locking.Take(RepoLockKind.Shared, cancellation);
        using RepoTransaction transaction = destination.BeginTransaction();
        transaction.Resume();
        RemoteDirectory access = new(source); // the repository is the caller's to close
        CommitChecks checks = new(destination, source.Settings.CollectionId, options.IgnoreBindings);
        DeltaPull deltas = new(transaction, access, cancellation)
        {
            IsRequired = true,
            BareUserOnlyFiles = options.BareUserOnlyFiles,
            Check = (target, bytes, metadata) =>
            {
                options.VerifyCommit?.Invoke(target.Commit, bytes, metadata);
                checks.Check(target.Commit, Commit.Parse(bytes), Named(target));
            },
            Progress = options.Progress,
        };
        deltas.ReadConfig(source.Config);
        if (source.Root.TryReadAllBytes(RepoSummary.FileName, MaxSummarySize) is { } summary && Variant.FromBytes(RepoSummary.VariantType, summary) is var parsed && parsed.IsNormalForm())
            deltas.ReadSummary(parsed[1]);
        deltas.RequireSome();
        List<PullTarget> wanted = Targets(source, options);
        foreach (PullTarget target in wanted)
            deltas.Bring(target, target.Ref is { } name ? destination.ResolveRef(Destination(name, options)) : null);
        BringRefs(transaction, source, wanted, options with { CameByDelta = deltas.Has }, checks, cancellation);
        TransactionStats written = transaction.Commit();
        return new RemotePullStats(deltas.FilesFetched, 0, access.BytesTransferred, Stopwatch.GetElapsedTime(start), written) { Deltas = deltas.Stats };
    }
}
