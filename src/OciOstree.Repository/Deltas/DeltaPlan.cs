using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>What a delta has to bring and how: worked out before anything is written.</summary>
internal sealed class DeltaPlan
{
    // A large file of which this much stays in place is not worth the time to compare it byte by byte.
    private const int MostlySamePercent = 90;

    // Of a file that cannot be patched this much must stay the same for pieces to be worth it.
    private const int PartlySamePercent = 50;
    private const long LargeFile = 4 << 20;

    private readonly List<ObjectName> metadata = [];
    private readonly List<PlannedFile> whole = [], links = [];
    private List<PlannedFile> modified = [];
    private readonly List<DeltaFallback> fallbacks = [];

    public IReadOnlyList<ObjectName> Metadata => metadata;

    /// <summary>Files that are described by older ones: those in pieces first, then those to be patched.</summary>
    public IReadOnlyList<PlannedFile> Modified => modified;

    /// <summary>Files, then links, that are brought as they are.</summary>
    public IReadOnlyList<PlannedFile> Whole => whole;

    public IReadOnlyList<DeltaFallback> Fallbacks => fallbacks;

    public int PatchCount => modified.Count(file => file.Matches is null);

    /// <summary>The bytes that the objects would be as files of this repository.</summary>
    public long LooseSize { get; private set; }

    public static DeltaPlan Make(Repo repo, DeltaName name, DeltaGenerateOptions options, CancellationToken cancellation)
    {
        DeltaPlan plan = new();
        Commit to = repo.ReadCommit(name.To);
        HashSet<ObjectName> have = name.From is { } from ? repo.Traverse(from) : [];
        HashSet<ObjectName> missing = repo.Traverse(name.To);
        missing.ExceptWith(have);
        // The superblock has the commit.
        missing.Remove(new ObjectName(name.To, ObjectType.Commit));
        plan.metadata.AddRange(missing.Where(found => found.Type != ObjectType.File).Order());
        SimilarFiles? similar = name.From is { } older ? new SimilarFiles(repo, repo.ReadCommit(older).RootTree) : null;
        int similarCount = 0;
        // In the tree's order, for neighbours are alike, which compresses better.
        foreach ((string path, Checksum checksum) in TreeFiles.Walk(repo, to.RootTree))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!missing.Remove(new ObjectName(checksum, ObjectType.File)))
                continue;
            FileHeader header = repo.ReadFileHeader(checksum, out long size);
            if (header.IsSymlink)
                plan.links.Add(new PlannedFile(checksum, null, null));
            else if (similar?.Find(path, size) is { } source && ++similarCount > 0 && plan.Describe(repo, source, checksum, size, options))
                continue;
            else if (options.MinFallbackSize > 0 && size > options.MinFallbackSize)
                plan.FallBack(repo, checksum, size, options);
            else
                plan.whole.Add(new PlannedFile(checksum, null, null));
        }
        options.Report($"modified: {similarCount}");
        options.Report($"new reachable: metadata={plan.metadata.Count} content regular={plan.modified.Count + plan.whole.Count + plan.fallbacks.Count} symlink={plan.links.Count}");
        foreach (ObjectName found in plan.metadata)
            plan.LooseSize += repo.StorageSize(found);
        foreach (PlannedFile file in plan.whole.Concat(plan.links))
            plan.LooseSize += repo.StorageSize(new ObjectName(file.Checksum, ObjectType.File));
        plan.whole.AddRange(plan.links);
        plan.modified = [.. plan.modified.OrderBy(file => file.Matches is null)];
        options.Report($"rollsum for {plan.modified.Count - plan.PatchCount}/{similarCount} modified");
        return plan;
    }

    private bool Describe(Repo repo, Checksum from, Checksum to, long size, DeltaGenerateOptions options)
    {
        repo.ReadFileHeader(from, out long oldSize);
        if (oldSize > Array.MaxLength || size > Array.MaxLength)
            return false;
        bool canPatch = options.UseBsdiff && oldSize + size <= options.MaxBsdiffSize;
        if (!canPatch || size >= LargeFile)
        {
            using DeltaSource old = DeltaSource.Open(repo, from, repo.CreateRoom), made = DeltaSource.Open(repo, to, repo.CreateRoom);
            using MappedFile oldBytes = new(old.Handle), bytes = new(made.Handle);
            List<ChunkMatch> matches = RollingChunks.Match(oldBytes.GetSpan(), bytes.GetSpan());
            long same = matches.Sum(match => (long)match.Length);
            if (same * 100 >= size * (canPatch ? MostlySamePercent : PartlySamePercent))
            {
                options.Report($"rollsum for {from} -> {to}; pieces={matches.Count} matchsize={same}");
                modified.Add(new PlannedFile(to, from, matches));
                return true;
            }
        }
        if (canPatch)
            modified.Add(new PlannedFile(to, from, null));
        return canPatch;
    }

    private void FallBack(Repo repo, Checksum checksum, long size, DeltaGenerateOptions options)
    {
        ObjectName name = new(checksum, ObjectType.File);
        options.Report($"fallback for {checksum} ({size} bytes)");
        fallbacks.Add(new DeltaFallback(name, (ulong)repo.StorageSize(name), (ulong)size));
    }
}
