using System.Diagnostics;
using System.Text;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>One pull from an archive over HTTP.</summary>
internal sealed class RemotePullRun(Repo destination, Remote remote, RemoteFetcher fetcher, RemotePullOptions options, CancellationToken cancellation)
{
    private const int MaxSmallFile = 10 << 20;

    private readonly PullQueue queue = new();
    private readonly SubpathSet? subpaths = SubpathSet.Of(options.Subpaths);
    private readonly long start = Stopwatch.GetTimestamp();
    private RepoTransaction transaction = null!;
    private Variant? summary;
    private byte[]? summaryBytes;
    private int metadataFetched, contentFetched;

    public RemotePullStats Go()
    {
        CheckMode();
        summaryBytes = fetcher.TryFetch("summary", Repo.MaxMetadataSize);
        if (remote.VerifiesSummary)
            VerifySummary();
        summary = summaryBytes is null ? null : ParseSummary(summaryBytes);
        List<(Checksum Tip, string? Ref)> wanted = [.. Wanted().Select(Resolve)];
        using (transaction = destination.BeginTransaction())
        {
            transaction.Resume();
            foreach ((Checksum tip, string? name) in wanted)
                PullCommits(tip, name);
            queue.Run(options.Connections, Bring);
            foreach ((Checksum tip, string? name) in wanted)
                if (name is not null)
                    transaction.SetRef(options.Mirror ? name : $"{remote.Name}:{name}", tip);
            TransactionStats written = transaction.Commit();
            if (options.Mirror && options.Refs is null)
                StoreSummary();
            return new RemotePullStats(metadataFetched, contentFetched, fetcher.BytesTransferred, Stopwatch.GetElapsedTime(start), written);
        }
    }

    private void CheckMode()
    {
        byte[] bytes = fetcher.TryFetch("config", MaxSmallFile) ?? throw NotFound("config");
        RepoMode mode;
        try
        {
            mode = RepoModes.Parse(KeyFile.Parse(bytes).GetString("core", "mode") ?? "bare");
        }
        catch (FormatException e)
        {
            throw new RepositoryException($"Parsing {fetcher.Describe("config")}", e);
        }
        if (mode != RepoMode.Archive)
            throw new RepositoryException($"Can't pull from archives with mode \"{mode.ConfigWord()}\"");
    }

    private void VerifySummary()
    {
        try
        {
            if (summaryBytes is null)
                throw new RepositoryException("GPG verification enabled, but no summary found (use gpg-verify-summary=false in remote config to disable)");
            Variant? signatures = fetcher.TryFetch("summary.sig", MaxSmallFile) is { } bytes ? Variant.FromBytes("a{sv}", bytes) : null;
            GpgVerifier.Verify(destination, remote, summaryBytes, signatures is { } found && found.IsNormalForm() ? found : null);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Summary of remote \"{remote.Name}\"", e);
        }
    }

    private Variant ParseSummary(byte[] bytes)
    {
        Variant parsed = Variant.FromBytes("(a(s(taya{sv}))a{sv})", bytes);
        return parsed.IsNormalForm() ? parsed : throw new RepositoryException($"Invalid summary at {fetcher.Describe("summary")}");
    }

    private IEnumerable<string> Wanted()
    {
        if (options.Refs is { } asked)
            return asked;
        if (!options.Mirror)
            return RemotePull.ConfiguredBranches(remote);
        return summary is null
            ? throw new RepositoryException("Fetching all refs was requested in mirror mode, but remote repository does not have a summary")
            : summary[0].Children.Select(entry => entry[0].AsString());
    }

    // NAME, NAME@COMMIT or COMMIT
    private (Checksum Tip, string? Ref) Resolve(string text)
    {
        if (Checksum.TryParse(text, out Checksum commit))
            return (commit, null);
        int at = text.IndexOf('@');
        string name = at < 0 ? text : text[..at];
        RefName.Validate(name);
        if (at >= 0)
            return (Checksum.Parse(text.AsSpan(at + 1)), name);
        if (summary is not null)
        {
            foreach (Variant entry in summary[0].Children)
                if (entry[0].AsString() == name)
                    return (Checksum.FromBytes(entry[1][1].AsBytes().Span), name);
            throw new RepositoryException($"No such branch '{name}' in repository summary");
        }
        string path = $"refs/heads/{name}";
        byte[] bytes = fetcher.TryFetch(path, MaxSmallFile) ?? throw NotFound(path);
        return (Checksum.Parse(Encoding.ASCII.GetString(bytes).AsSpan().TrimEnd()), name);
    }

    private void PullCommits(Checksum tip, string? name)
    {
        Checksum? next = tip;
        for (int left = options.Depth; next is { } checksum; left--)
        {
            cancellation.ThrowIfCancellationRequested();
            ObjectName commitName = new(checksum, ObjectType.Commit);
            bool whole = destination.HasObject(commitName) && destination.StateOf(checksum) == CommitState.Whole;
            if (!BringCommit(commitName, isTip: checksum == tip))
                return;
            if (remote.VerifiesCommits)
                RemotePull.VerifyCommit(destination, remote, checksum, destination.ReadMetadata(commitName), destination.ReadCommitMeta(checksum));
            Commit commit = destination.ReadCommit(checksum);
            if (checksum == tip)
                CheckTip(tip, commit, name);
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

    private void CheckTip(Checksum tip, Commit commit, string? name)
    {
        if (name is not null && !options.IgnoreBindings)
            Bindings.Verify(tip, commit, remote.Get("collection-id"), name);
        Checksum? older = options.TimestampCheckFrom is { } from ? destination.ResolveRequired(from)
            : options.TimestampCheck && name is not null ? destination.ResolveRef(options.Mirror ? name : $"{remote.Name}:{name}") : null;
        if (older is { } base_ && base_ != tip && destination.ReadCommit(base_).Timestamp is var known && commit.Timestamp < known)
            throw new RepositoryException($"Upgrade target revision '{tip}' with timestamp '{Date(commit.Timestamp)}' is chronologically older than current revision '{base_}' with timestamp '{Date(known)}'");

        static string Date(ulong seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(seconds, 253402300799)).ToString("ddd MMM dd HH:mm:ss yyyy", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>False if an ancestor is not on the server, where history ends for everybody.</summary>
    private bool BringCommit(ObjectName name, bool isTip)
    {
        if (!transaction.HasObject(name) && !FromCache(name))
        {
            if (fetcher.TryFetch(PathOf(name), Repo.MaxMetadataSize) is not { } bytes)
                return isTip ? throw NotFound(PathOf(name)) : false;
            transaction.WriteMetadata(ObjectType.Commit, bytes, name.Checksum);
            Interlocked.Increment(ref metadataFetched);
        }
        // Signatures may have come after the commit itself did.
        if (fetcher.TryFetch(PathOf(name with { Type = ObjectType.CommitMeta }), Repo.MaxMetadataSize) is { } detached)
        {
            Variant metadata = Variant.FromBytes("a{sv}", detached);
            if (!metadata.IsNormalForm())
                throw new RepositoryException($"Invalid detached metadata of commit {name.Checksum}");
            transaction.WriteCommitMeta(name.Checksum, metadata);
        }
        return true;
    }

    private void Bring(PullItem item)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!transaction.HasObject(item.Name) && !FromCache(item.Name))
        {
            if (item.Name.Type == ObjectType.File)
                FetchContent(item.Name.Checksum);
            else
                FetchMetadata(item.Name);
        }
        if (item.Name.Type == ObjectType.DirTree)
            Expand(destination.ReadDirTree(item.Name.Checksum), item.Below);
        options.Progress(queue.Done, queue.Total, fetcher.BytesTransferred);
    }

    private void Expand(DirTree tree, SubpathSet? below)
    {
        foreach (DirTreeFile file in tree.Files)
            if (below is null || below.Has(file.Name, out _))
                queue.Add(new PullItem(new ObjectName(file.Checksum, ObjectType.File), null));
        foreach (DirTreeDirectory directory in tree.Directories)
        {
            SubpathSet? deeper = null;
            if (below is not null && !below.Has(directory.Name, out deeper))
                continue;
            queue.Add(new PullItem(new ObjectName(directory.Meta, ObjectType.DirMeta), null));
            queue.Add(new PullItem(new ObjectName(directory.Tree, ObjectType.DirTree), deeper));
        }
    }

    private bool FromCache(ObjectName name)
    {
        foreach (Repo cache in options.LocalCaches)
        {
            if (!cache.HasObject(name))
                continue;
            transaction.ImportObject(cache, name, verify: true);
            return true;
        }
        return false;
    }

    private void FetchMetadata(ObjectName name)
    {
        byte[] bytes = fetcher.TryFetch(PathOf(name), Repo.MaxMetadataSize) ?? throw NotFound(PathOf(name));
        transaction.WriteMetadata(name.Type, bytes, name.Checksum);
        Interlocked.Increment(ref metadataFetched);
    }

    private void FetchContent(Checksum checksum)
    {
        string path = PathOf(new ObjectName(checksum, ObjectType.File));
        using TemporaryFile archived = transaction.CreateStagedFile();
        if (!fetcher.TryFetchContent(path, archived))
            throw NotFound(path);
        transaction.WriteArchived(archived, checksum, options.BareUserOnlyFiles);
        Interlocked.Increment(ref contentFetched);
    }

    private static string PathOf(ObjectName name) => "objects/" + LoosePath.Of(name, RepoMode.Archive);

    private RepositoryException NotFound(string path) => new($"While fetching {fetcher.Describe(path)}: Server returned HTTP 404");

    // Who mirrors everything offers the remote's own summary, whose signature is the remote's too.
    private void StoreSummary()
    {
        destination.Root.ReplaceFile("summary", summaryBytes, 0x1A4, destination.Settings.Fsync);
        if (fetcher.TryFetch("summary.sig", MaxSmallFile) is { } signature)
            destination.Root.ReplaceFile("summary.sig", signature, 0x1A4, destination.Settings.Fsync);
        else
            destination.Root.TryUnlink("summary.sig");
    }
}
