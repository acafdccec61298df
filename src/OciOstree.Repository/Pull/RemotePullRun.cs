using System.Diagnostics;
using System.Text;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>One pull: from an archive over HTTP, or from a repository on this machine.</summary>
internal sealed partial class RemotePullRun(Repo destination, Remote remote, RemoteAccess access, RemotePullOptions options, CancellationToken cancellation)
{
    private readonly Repo? local = (access as RemoteDirectory)?.Repo;
    private readonly RemoteFetcher fetcher = (access as RemoteFetcher)!; // for all but a local repository
    private readonly RemoteSignatures signatures = RemoteSignatures.Of(destination, remote);
    private readonly PullQueue queue = new();
    private readonly SubpathSet? subpaths = SubpathSet.Of(options.Subpaths);
    private readonly long start = Stopwatch.GetTimestamp();
    private RepoTransaction transaction = null!;
    private CommitChecks checks = null!;
    private RemoteSummary? summary;
    private bool hasTombstones;
    private int metadataFetched, contentFetched;

    public RemotePullStats Go()
    {
        if (NeedsSummary)
            summary = RemoteSummary.Fetch(destination, remote, access, options.CacheDirectory);
        KeyFile? config = ReadMode();
        List<PullTarget> targets = [.. Targets()];
        Checksum? notBefore = options.TimestampCheckFrom is { } from ? destination.ResolveRequired(from) : null;
        checks = new CommitChecks(destination, local is null ? remote.CollectionId : local.Settings.CollectionId, options.IgnoreBindings, notBefore, options.TimestampCheck ? Current : null);
        using (transaction = destination.BeginTransaction())
        {
            if (UsesDeltas)
                BringByDeltas(targets, config);
            if (options.DryRun)
                return Stats(default);
            if (local is not null)
                BringFrom(local, targets);
            else
                Download(targets);
            foreach (PullTarget target in targets)
                SetRef(target);
            TransactionStats written = transaction.Commit();
            if (MirrorsAll)
                StoreSummary();
            return Stats(written);
        }
    }

    // Everything that is there is asked for, and only the summary tells what that is.
    private bool MirrorsAll => options is { Mirror: true, Refs: null, CollectionRefs: null } && remote.List("branches") is not { Length: > 0 };

    // It may be large: who names commits does without.
    private bool NeedsSummary => MirrorsAll || (options.CollectionRefs is { } refs ? refs.Any(r => r.Value is null)
        : options.Refs is not { } names || names.Any(name => !Checksum.TryParse(name, out _) && !name.Contains('@')));

    // An archive's configuration is fetched only where the summary does not say what it would.
    private KeyFile? ReadMode()
    {
        if (local is not null)
            return local.Config;
        KeyFile? config = null;
        string? mode = summary?.Mode;
        if (mode is not null && summary!.Content[1].Lookup("ostree.summary.tombstone-commits", "b") is { } tombstones)
        {
            hasTombstones = tombstones.AsBoolean();
        }
        else
        {
            RemoteFile file = access.TryFetch("config", RemoteAccess.MaxSmallFile) ?? throw NotFound("config");
            try
            {
                config = KeyFile.Parse(file.Bytes);
                mode = config.GetString("core", "mode") ?? "bare";
                hasTombstones = config.GetBoolean("core", "tombstone-commits") ?? false;
            }
            catch (FormatException e)
            {
                throw new RepositoryException($"Parsing {access.Describe("config")}", e);
            }
        }
        if (RepoModes.Parse(mode) != RepoMode.Archive)
            throw new RepositoryException($"Can't pull from archives with mode \"{mode}\"");
        return config;
    }

    private IEnumerable<PullTarget> Targets()
    {
        if (MirrorsAll)
        {
            if (summary is null)
                throw new RepositoryException("Fetching all refs was requested in mirror mode, but remote repository does not have a summary");
            return summary.Refs().Select(r => new PullTarget(RemoteSummary.CommitOf(r.About), r.Collection, r.Name));
        }
        if (options.CollectionRefs is { } refs)
            return refs.Select(r => new PullTarget(r.Value ?? Resolve(r.Key.CollectionId, r.Key.Name), r.Key.CollectionId, r.Key.Name));
        IReadOnlyList<string> names = options.Refs ?? remote.List("branches") ?? [];
        return names.Count > 0 ? names.Select(Target) : throw new RepositoryException($"No configured branches for remote {remote.Name}");
    }

    // NAME, NAME@COMMIT or COMMIT
    private PullTarget Target(string text)
    {
        if (Checksum.TryParse(text, out Checksum commit))
            return new PullTarget(commit, null, null);
        int at = text.IndexOf('@');
        string name = at < 0 ? text : text[..at];
        RefName.Validate(name);
        return new PullTarget(at >= 0 ? Checksum.Parse(text.AsSpan(at + 1)) : Resolve(null, name), summary?.CollectionId, name);
    }

    private Checksum Resolve(string? collection, string name)
    {
        RefName.Validate(name);
        if (summary is not null)
            return summary.Resolve(collection, name);
        if (local is not null)
            return collection is null ? local.ResolveRequired(name)
                : local.ListCollectionRefs(collection).TryGetValue(new CollectionRef(collection, name), out Checksum found) ? found
                : throw new RepositoryException($"Collection–ref ({collection}, {name}) not found");
        string path = collection is null ? $"refs/heads/{name}" : $"refs/mirrors/{collection}/{name}";
        RemoteFile file = access.TryFetch(path, RemoteAccess.MaxSmallFile) ?? throw NotFound(path);
        // What answers with a page instead of a ref is told by the page's beginning.
        string text = Encoding.UTF8.GetString(file.Bytes).TrimEnd();
        return Checksum.TryParse(text, out Checksum commit) ? commit
            : throw new RepositoryException($"Fetching checksum for ref ({collection ?? "(empty)"}, {name}): Invalid rev {(text.Length > 400 ? text[..400] + "…" : text)}");
    }

    // Where a ref is kept here: a mirror's as there, else under the remote's name.
    private Checksum? Current(PullTarget target) => !options.Mirror ? destination.ResolveRef($"{remote.Name}:{target.Ref}")
        : Mirrored(target) is { } mirrored ? destination.ListCollectionRefs(mirrored.CollectionId, RefListing.ExcludeRemotes).TryGetValue(mirrored, out Checksum found) ? found : null
        : destination.ResolveRef(target.Ref!, searchRemotes: false);

    private void SetRef(PullTarget target)
    {
        if (target.Ref is not { } name)
            return;
        if (!options.Mirror)
            transaction.SetRef($"{remote.Name}:{name}", target.Commit);
        else if (Mirrored(target) is { } mirrored)
            transaction.SetCollectionRef(mirrored, target.Commit);
        else
            transaction.SetRef(name, target.Commit);
    }

    private static CollectionRef? Mirrored(PullTarget target) => target.Collection is { } collection ? new CollectionRef(collection, target.Ref!) : null;

    private void BringFrom(Repo source, List<PullTarget> targets)
    {
        // Nothing may be pruned from under us.
        using RepoLock.Holder hold = source.Locking.Take(RepoLockKind.Shared, cancellation);
        LocalPull.Bring(transaction, source, targets, new LocalPullOptions
        {
            Depth = options.Depth,
            CommitsOnly = options.CommitsOnly,
            Subpaths = options.Subpaths,
            Untrusted = options.Untrusted,
            Damaged = options.Damaged,
            BareUserOnlyFiles = options.BareUserOnlyFiles,
            CameByDelta = checksum => deltas?.Has(checksum) == true,
            VerifyCommit = signatures.CoverCommits ? (checksum, bytes, metadata) => signatures.VerifyCommit(checksum, bytes.Span, metadata) : null,
            Progress = (done, total) => options.Progress(done, total, 0),
        }, checks, cancellation);
    }

    private void Download(List<PullTarget> targets)
    {
        transaction.Resume();
        foreach (PullTarget target in targets)
            PullCommits(target);
        queue.Run(options.Connections, Bring);
    }

    private void PullCommits(PullTarget target)
    {
        Checksum tip = target.Commit;
        Checksum? next = tip;
        for (int left = options.Depth; next is { } checksum; left--)
        {
            cancellation.ThrowIfCancellationRequested();
            ObjectName commitName = new(checksum, ObjectType.Commit);
            // A delta's commit has been looked at; what it may have left out is looked for.
            bool byDelta = deltas?.Has(checksum) == true;
            bool whole = !byDelta && destination.HasObject(commitName) && destination.StateOf(checksum) == CommitState.Whole;
            if (!byDelta && !BringCommit(commitName, isTip: checksum == tip))
                return;
            Commit commit = destination.ReadCommit(checksum);
            if (!byDelta)
                CheckCommit(checksum, checksum == tip ? target : null, destination.ReadMetadata(commitName), commit, destination.ReadCommitMeta(checksum));
            if (!whole)
            {
                transaction.MarkPartial(checksum, options.CommitsOnly || subpaths is not null);
                if (!options.CommitsOnly)
                {
                    queue.Add(new PullItem(new ObjectName(commit.RootMeta, ObjectType.DirMeta), null));
                    queue.Add(new PullItem(new ObjectName(commit.RootTree, ObjectType.DirTree), subpaths));
                }
            }
            next = commit.Parent;
            if (left == 0)
                return;
        }
    }

    private void CheckCommit(Checksum checksum, PullTarget? target, ReadOnlyMemory<byte> bytes, Commit commit, Variant? metadata)
    {
        if (signatures.CoverCommits)
            signatures.VerifyCommit(checksum, bytes.Span, metadata);
        checks.Check(checksum, commit, target);
    }

    /// <summary>False if an ancestor is not on the server, where history ends for everybody.</summary>
    private bool BringCommit(ObjectName name, bool isTip)
    {
        if (!transaction.HasObject(name) && !FromCache(name))
        {
            if (!TryFetchMetadata(name))
            {
                if (isTip || hasTombstones && access.TryFetch(PathOf(name with { Type = ObjectType.TombstoneCommit }), RemoteAccess.MaxSmallFile) is null)
                    throw NotFound(PathOf(name));
                return false;
            }
        }
        // Signatures may have come after the commit itself did.
        if (access.TryFetch(PathOf(name with { Type = ObjectType.CommitMeta }), Repo.MaxMetadataSize) is { } detached)
        {
            Variant metadata = Variant.FromBytes("a{sv}", detached.Bytes);
            // Nobody vouches for these bytes: who asks for no signature can do without what is damaged.
            if (metadata.IsNormalForm())
                transaction.WriteCommitMeta(name.Checksum, metadata);
            else if (signatures.CoverCommits)
                throw new RepositoryException($"Invalid detached metadata of commit {name.Checksum}");
        }
        return true;
    }

    private static string PathOf(ObjectName name) => "objects/" + LoosePath.Of(name, RepoMode.Archive);

    private RepositoryException NotFound(string path) => new($"While fetching {access.Describe(path)}: Server returned HTTP 404");

    // Who mirrors everything offers the remote's own summary, whose signature is the remote's too.
    private void StoreSummary()
    {
        destination.Root.ReplaceFile("summary", summary!.Bytes.Span, 0x1A4, destination.Settings.Fsync);
        SummaryCache.Mark(destination.Root, "summary", summary.Stamp);
        if (summary.Signature is { } signature)
        {
            destination.Root.ReplaceFile("summary.sig", signature.Span, 0x1A4, destination.Settings.Fsync);
            SummaryCache.Mark(destination.Root, "summary.sig", summary.SignatureStamp);
        }
        else
        {
            destination.Root.TryUnlink("summary.sig");
        }
    }
}
