using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The part of a pull that brings commits by static deltas, in a transaction that fetches by itself what they leave out.</summary>
internal sealed class DeltaPull(RepoTransaction transaction, RemoteAccess access, CancellationToken cancellation)
{
    private const string IndexedKey = "indexed-deltas", SummaryIndexedKey = "ostree.summary.indexed-deltas";

    private readonly Repo destination = transaction.Repo;
    private readonly Dictionary<DeltaName, Checksum> digests = [];
    private readonly HashSet<Checksum> brought = [];
    private bool summaryHasDeltas;
    private ulong sizeFetched, size, uncompressedSize;
    private int partsFetched, parts;
    private long contentWritten;

    /// <summary>Fail where there is no delta.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Only find out what there would be to fetch.</summary>
    public bool DryRun { get; init; }

    public bool BareUserOnlyFiles { get; init; }

    /// <summary>Whether only a delta may be used that the summary, which is signed, or an index vouches for.</summary>
    public bool NeedsDigest { get; init; }

    /// <summary>Checks the signatures of a commit, given its bytes and its detached metadata, and that it is what was asked for, before any object of it is made.</summary>
    public required Action<PullTarget, ReadOnlyMemory<byte>, Variant?> Check { get; init; }

    /// <summary>Told how many parts of how many are here.</summary>
    public Action<int, int> Progress { get; init; } = static (_, _) => { };

    /// <summary>Whether the remote has an index of the deltas to each commit.</summary>
    public bool HasIndexes { get; private set; }

    /// <summary>Superblocks and indexes, which are counted as metadata.</summary>
    public int FilesFetched { get; private set; }

    /// <summary>Parts that are here, by whatever way.</summary>
    public int PartsFetched => partsFetched;

    public DeltaStats Stats => new(partsFetched, parts, sizeFetched, size, uncompressedSize) { ContentWritten = contentWritten };

    /// <summary>Whether a delta to the commit has been applied.</summary>
    public bool Has(Checksum commit) => brought.Contains(commit);

    /// <summary>Learns from a summary's keys which deltas there are.</summary>
    public void ReadSummary(Variant keys)
    {
        HasIndexes = keys.Lookup(SummaryIndexedKey, "b")?.AsBoolean() ?? HasIndexes;
        summaryHasDeltas = AddDigests(keys);
    }

    /// <summary>Learns from the remote's configuration whether there are indexes.</summary>
    public void ReadConfig(Formats.Keyfile.KeyFile config) => HasIndexes = config.GetBoolean("core", IndexedKey) ?? false;

    /// <summary>To be asked once all is read, before the first commit.</summary>
    public void RequireSome()
    {
        if (IsRequired && !HasIndexes && !summaryHasDeltas)
            throw new RepositoryException("Fetch configured to require static deltas, but no summary deltas or delta index found");
    }

    /// <summary>Brings a commit by the best delta to it, if there is one that can be used here.</summary>
    /// <param name="current">What the ref points at here now, null if there is none.</param>
    /// <exception cref="RepositoryException">A delta is required and missing, or what was fetched is damaged.</exception>
    public void Bring(PullTarget target, Checksum? current)
    {
        if (Find(target, current) is not { } name)
            return;
        if (access.TryFetch(name.Superblock, Repo.MaxMetadataSize) is not { } file)
        {
            if (IsRequired)
                throw new RepositoryException($"Static deltas required, but none found for {name.From?.ToString() ?? "empty"} to {name.To}");
            return;
        }
        FilesFetched++;
        try
        {
            Apply(target, name, file.Bytes);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Static delta {name}", e);
        }
    }

    private DeltaName? Find(PullTarget target, Checksum? current)
    {
        Checksum to = target.Commit;
        if (IsWhole(to))
            return null;
        if (!HasIndexes && !summaryHasDeltas)
        {
            // Nobody says anything: what a server would most likely have is asked for, unless only what is vouched for may be used.
            if (NeedsDigest)
                return null;
            Checksum? from = current is { } known && IsWhole(known) ? known : null;
            return from == to ? null : new DeltaName(from, to);
        }
        if (HasIndexes)
            FetchIndex(to);
        DeltaName[] offered = [.. digests.Keys.Where(name => name.To == to)];
        DeltaName? best = offered.Where(name => name.From is { } from && IsWhole(from)).Select(name => (DeltaName?)name).MaxBy(name => destination.ReadCommit(name!.Value.From!.Value).Timestamp);
        if (best is not null)
            return best;
        bool fromNothing = offered.Any(name => name.From is null);
        if (!fromNothing && IsRequired)
            throw new RepositoryException($"Static deltas required, but none found for {target.Ref} to {to}");
        // Who has the ref already lacks little of what such a delta brings.
        return fromNothing && current is null ? new DeltaName(null, to) : null;
    }

    private bool IsWhole(Checksum commit) => transaction.HasObject(new ObjectName(commit, ObjectType.Commit)) && destination.StateOf(commit) == CommitState.Whole;

    private void FetchIndex(Checksum to)
    {
        if (access.TryFetch(DeltaName.IndexOf(to), Repo.MaxMetadataSize) is not { } file)
            return;
        FilesFetched++;
        Variant index = Variant.FromBytes("a{sv}", file.Bytes);
        if (!index.IsNormalForm())
            throw new RepositoryException($"Invalid index of static deltas at {access.Describe(DeltaName.IndexOf(to))}");
        AddDigests(index);
    }

    private bool AddDigests(Variant keys)
    {
        Variant? map = keys.Lookup(StaticDeltaStore.MapKey, "a{sv}");
        foreach (Variant entry in map?.Children ?? [])
            digests[DeltaName.Parse(entry[0].AsString())] = entry[1].AsVariant() is { Type: "ay" } digest ? Checksum.FromBytes(digest.AsBytes().Span) : throw new RepositoryException($"Invalid digest of static delta {entry[0].AsString()}");
        return map is { Count: > 0 };
    }

    private void Apply(PullTarget target, DeltaName name, byte[] bytes)
    {
        if (digests.TryGetValue(name, out Checksum digest))
        {
            if (digest != Checksum.Compute(bytes))
                throw new RepositoryException($"Invalid checksum for static delta {name}");
        }
        else if (NeedsDigest)
        {
            throw new RepositoryException("GPG verification enabled, but no summary signatures found (use gpg-verify-summary=false in remote config to disable)");
        }
        DeltaSuperblock superblock = DeltaSuperblock.Parse(bytes);
        if (superblock.Name != name)
            throw new RepositoryException($"It says that it is static delta {superblock.Name}");
        DeltaRun run = new(transaction, cancellation) { BareUserOnlyFiles = BareUserOnlyFiles };
        List<int> missing = Survey(superblock, run);
        if (DryRun)
            return;
        ObjectName commit = new(name.To, ObjectType.Commit);
        if (!transaction.HasObject(commit))
        {
            if (Checksum.Compute(superblock.CommitBytes.Span) != name.To)
                throw new RepositoryException($"Its commit is not {name.To}");
            Check(target, superblock.CommitBytes, superblock.CommitMeta);
            transaction.WriteMetadata(ObjectType.Commit, superblock.CommitBytes.Span, name.To);
            if (superblock.CommitMeta is { } detached)
                transaction.WriteCommitMeta(name.To, detached);
        }
        long before = transaction.ContentBytesWritten;
        RunParts(superblock, run, missing);
        contentWritten += transaction.ContentBytesWritten - before;
        brought.Add(name.To);
    }

    /// <summary>Adds up what the delta is made of and tells which parts are needed.</summary>
    private List<int> Survey(DeltaSuperblock superblock, DeltaRun run)
    {
        List<int> missing = [];
        ulong needed = 0;
        for (int i = 0; i < superblock.Parts.Count; i++)
        {
            DeltaPartHeader header = superblock.Parts[i];
            bool isHere = run.HasAll(header);
            Count(header.Size, header.UncompressedSize, isHere, isPart: true);
            if (isHere)
                continue;
            missing.Add(i);
            needed = Math.Min(needed + Math.Min(header.UncompressedSize, long.MaxValue), long.MaxValue);
        }
        foreach (DeltaFallback fallback in superblock.Fallbacks)
        {
            bool isHere = transaction.HasObject(fallback.Name);
            if (!isHere && fallback.Name.Type != ObjectType.File)
                throw new RepositoryException($"Found metadata object as fallback: {fallback.Name}");
            Count(fallback.Size, fallback.UncompressedSize, isHere, isPart: false);
        }
        if (!DryRun)
            transaction.RequireSpace((long)needed);
        return missing;
    }

    private void Count(ulong sent, ulong made, bool isHere, bool isPart)
    {
        parts++;
        size += sent;
        uncompressedSize += made;
        if (!isHere)
            return;
        sizeFetched += sent;
        if (isPart)
            partsFetched++;
    }

    // While one part is being done another one is on its way.
    private void RunParts(DeltaSuperblock superblock, DeltaRun run, List<int> missing) => Workers.Each(missing, cancellation, index =>
    {
        DeltaPartHeader header = superblock.Parts[index];
        string path = superblock.Name.Part(index);
        if (superblock.InlinePart(index) is { } inline)
            run.RunInline(header, inline);
        else if (!access.TryFetchFile(path, (long)Math.Min(header.Size, long.MaxValue), transaction.CreateStagedFile, file => run.RunFile(header, file)))
            throw new RepositoryException($"While fetching {access.Describe(path)}: Server returned HTTP 404");
        Interlocked.Add(ref sizeFetched, header.Size);
        Progress(Interlocked.Increment(ref partsFetched), parts);
    });
}
