using System.Buffers.Binary;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>Looks for refs of collections wherever they may be, and pulls them from where they are newest.</summary>
public sealed class RemoteSearch(Repo repo, IReadOnlyList<CollectionRef> refs, RemotePullOptions options)
{
    private readonly List<(FoundRemote Remote, Dictionary<CollectionRef, Checksum> Offers)> candidates = [];
    private readonly Dictionary<Checksum, ulong> timestamps = [];
    private readonly List<string> ignored = [];

    /// <summary>Why remotes were left out that could have had something.</summary>
    public IReadOnlyList<string> Ignored => ignored;

    /// <summary>Asks the remotes that finders know of what they have.</summary>
    /// <returns>Those that have the newest commit of at least one ref, the first to try first.</returns>
    public IReadOnlyList<FoundRemote> Find(IEnumerable<RemoteFinder> finders, CancellationToken cancellation = default)
    {
        foreach (RemoteFinder finder in finders)
            foreach (Remote remote in finder.Find(repo, refs))
            {
                try
                {
                    Ask(finder, remote, cancellation);
                }
                catch (RepositoryException e)
                {
                    ignored.Add($"{remote.Name} ({remote.Get("url")}): {(e.InnerException is { } cause ? $"{e.Message}: {cause.Message}" : e.Message)}");
                }
            }
        foreach (CollectionRef wanted in refs)
            DropOlder(wanted);
        List<FoundRemote> found = [];
        foreach ((FoundRemote remote, Dictionary<CollectionRef, Checksum> offers) in candidates)
        {
            remote.Refs = refs.Distinct().ToDictionary(r => r, r => offers.TryGetValue(r, out Checksum commit) ? commit : (Checksum?)null);
            if (remote.Count > 0)
                found.Add(remote);
        }
        found.Sort(Compare);
        return found;
    }

    private void Ask(RemoteFinder finder, Remote remote, CancellationToken cancellation)
    {
        using RemoteAccess access = RemotePull.Access(repo, remote, options, cancellation);
        RemoteSummary summary = RemoteSummary.Fetch(repo, remote, access, options.CacheDirectory) ?? throw new RepositoryException("No summary file exists on server");
        Dictionary<CollectionRef, Checksum> offers = [];
        // Commits of another collection would be checked with the wrong keys.
        string? collection = remote.CollectionId;
        foreach ((string? of, string name, Variant about) in summary.Refs())
        {
            if (of is null || of != collection || !refs.Contains(new CollectionRef(of, name)))
                continue;
            Checksum commit = RemoteSummary.CommitOf(about);
            offers[new CollectionRef(of, name)] = commit;
            if (!timestamps.ContainsKey(commit))
                timestamps[commit] = TimestampOf(commit, about, access);
        }
        ulong modified = BinaryPrimitives.ReverseEndianness(summary.Content[1].Lookup("ostree.summary.last-modified", "t")?.AsUInt64() ?? 0);
        candidates.Add((new FoundRemote(remote, finder, modified), offers));
    }

    private ulong TimestampOf(Checksum commit, Variant about, RemoteAccess access)
    {
        ObjectName name = new(commit, ObjectType.Commit);
        if (repo.HasObject(name))
            return repo.ReadCommit(commit).Timestamp;
        if (about[2].Lookup("ostree.commit.timestamp", "t") is { } stated)
            return BinaryPrimitives.ReverseEndianness(stated.AsUInt64());
        RemoteFile file = access.TryFetch("objects/" + LoosePath.Of(name, RepoMode.Archive), Repo.MaxMetadataSize) ?? throw new RepositoryException($"Metadata not found for commit ‘{commit}’");
        Checksum actual = Checksum.Compute(file.Bytes);
        return actual == commit ? Commit.Parse(file.Bytes).Timestamp : throw ContentStream.Corrupted(name, actual);
    }

    // Of two mirrors of a ref the one that has not caught up is no help.
    private void DropOlder(CollectionRef wanted)
    {
        Checksum? newest = null;
        foreach ((_, Dictionary<CollectionRef, Checksum> offers) in candidates)
            if (offers.TryGetValue(wanted, out Checksum commit) && (newest is null || timestamps[commit] > timestamps[newest.Value]))
                newest = commit;
        foreach ((_, Dictionary<CollectionRef, Checksum> offers) in candidates)
            if (offers.TryGetValue(wanted, out Checksum commit) && commit != newest)
                offers.Remove(wanted);
    }

    // As libostree orders them, so that both pull from the same place.
    private static int Compare(FoundRemote a, FoundRemote b)
    {
        if (a.Priority != b.Priority)
            return a.Priority.CompareTo(b.Priority);
        if (a.SummaryLastModified != 0 && b.SummaryLastModified != 0 && a.SummaryLastModified != b.SummaryLastModified)
            return a.SummaryLastModified.CompareTo(b.SummaryLastModified);
        return a.Count != b.Count ? b.Count.CompareTo(a.Count) : string.CompareOrdinal(a.Remote.Name, b.Remote.Name);
    }

    /// <summary>Pulls each ref from the first place that gives it. Commits must be signed by the place's keys, whatever its configuration says.</summary>
    /// <exception cref="RepositoryException">Some refs could be had from nowhere; the message says which and why.</exception>
    public void Pull(IReadOnlyList<FoundRemote> found, CancellationToken cancellation = default)
    {
        HashSet<CollectionRef> wanted = [.. found.SelectMany(remote => remote.Refs).Where(r => r.Value is not null).Select(r => r.Key)];
        List<Exception> failures = [];
        foreach (FoundRemote remote in found)
        {
            KeyValuePair<CollectionRef, Checksum?>[] here = [.. remote.Refs.Where(r => r.Value is not null && wanted.Contains(r.Key))];
            if (here.Length == 0)
                continue;
            try
            {
                RemotePull.Run(repo, remote.Remote.With(elsewhere: false, ("gpg-verify", "true"), ("gpg-verify-summary", "false")),
                    options with { CollectionRefs = here, Refs = null, Untrusted = true }, cancellation);
                wanted.ExceptWith(here.Select(r => r.Key));
            }
            catch (RepositoryException e)
            {
                failures.Add(e);
            }
        }
        if (wanted.Count > 0)
            throw new RepositoryException($"Failed to pull some refs from the remotes: {string.Join(", ", wanted.Select(r => $"({r.CollectionId}, {r.Name})"))}", failures[0]);
    }
}
