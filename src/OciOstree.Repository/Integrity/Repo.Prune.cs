using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>
    /// Deletes objects that nothing wanted leads to. Commits go first, so that a crash on the way never leaves one without its objects.
    /// </summary>
    public PruneResult Prune(PruneOptions options, CancellationToken cancellation = default)
    {
        using RepoLock.Holder hold = Locking.Take(RepoLockKind.Exclusive, cancellation);
        try
        {
            HashSet<ObjectName> wanted = Wanted(options);
            PruneResult result = PruneUnreachable(wanted, options.DryRun, options.CommitsOnly, cancellation);
            if (!options.DryRun)
            {
                StaticDeltaStore.PruneOrphans(this, null);
                SummaryCache.Prune(this);
            }
            return result;
        }
        catch (LinuxException e)
        {
            throw new RepositoryException("Pruning", e);
        }
    }

    /// <summary>Deletes every object that is not in a set, which must hold all that is wanted, and which nobody may add to meanwhile: hold the exclusive lock.</summary>
    public PruneResult PruneUnreachable(HashSet<ObjectName> reachable, bool dryRun = false, bool commitsOnly = false, CancellationToken cancellation = default)
    {
        using RepoLock.Holder hold = Locking.Take(RepoLockKind.Exclusive, cancellation);
        int total = 0;
        long freed = 0;
        List<ObjectName> commits = [], others = [];
        foreach (ObjectName name in ListObjects())
        {
            if (name.Type is not (ObjectType.Commit or ObjectType.File or ObjectType.DirTree or ObjectType.DirMeta or ObjectType.PayloadLink))
                continue; // goes with what it belongs to
            if (commitsOnly && name.Type != ObjectType.Commit)
                continue;
            total++;
            if (!(name.Type == ObjectType.PayloadLink ? IsPayloadWanted(name, reachable) : reachable.Contains(name)))
                (name.Type == ObjectType.Commit ? commits : others).Add(name);
        }
        foreach (ObjectName name in commits.Concat(others))
            freed += StorageSize(name);
        if (!dryRun)
        {
            foreach (ObjectName name in commits)
                DeleteObject(name);
            if (commits.Count > 0 && Settings.Fsync)
                Root.SyncFileSystem(); // a power cut must not undo these and keep what follows
            foreach (ObjectName name in others)
            {
                cancellation.ThrowIfCancellationRequested();
                DeleteObject(name);
            }
        }
        return new PruneResult(total, commits.Count + others.Count, freed);
    }

    private HashSet<ObjectName> Wanted(PruneOptions options)
    {
        if (options.ByRef)
            return WantedByRef(options);
        if (options.RefsOnly)
            return TraverseRefs(options.Depth, options.CommitsOnly);
        HashSet<ObjectName> reachable = [];
        foreach (Checksum commit in CommitsStartingWith(""))
            Traverse(commit, options.Depth, reachable, options.CommitsOnly);
        return reachable;
    }

    private HashSet<ObjectName> WantedByRef(PruneOptions options)
    {
        foreach (string branch in options.OnlyBranches ?? [])
            ResolveRequired(branch);
        HashSet<ObjectName> reachable = [];
        foreach ((string name, Checksum target) in ListRefs())
        {
            if (options.RetainDepth.TryGetValue(name, out int depth))
                Traverse(target, depth, reachable, options.CommitsOnly);
            else if (options.OnlyBranches is { } only && !only.Contains(name))
                Traverse(target, -1, reachable, options.CommitsOnly);
            else if (options.KeepYoungerThan is { } limit)
                TraverseYoungerThan(target, limit, reachable, options.CommitsOnly);
            else
                Traverse(target, options.Depth, reachable, options.CommitsOnly);
        }
        // Mirrored collections have no depths of their own to ask for: what they lead to stays.
        foreach (Checksum target in ListCollectionRefs(null, RefListing.ExcludeRemotes).Values)
            Traverse(target, 0, reachable, options.CommitsOnly);
        return reachable;
    }

    private void TraverseYoungerThan(Checksum tip, DateTimeOffset limit, HashSet<ObjectName> reachable, bool commitsOnly)
    {
        // What a ref points at is kept however old it is.
        Traverse(tip, 0, reachable, commitsOnly);
        for (Checksum? next = tip; next is { } current;)
        {
            if (TryReadMetadata(new ObjectName(current, ObjectType.Commit)) is not { } bytes)
                return;
            Commit commit = Commit.Parse(bytes);
            if (commit.Timestamp < (ulong)Math.Max(0, limit.ToUnixTimeSeconds()))
                return;
            Traverse(current, 0, reachable, commitsOnly);
            next = commit.Parent;
        }
    }

    /// <summary>Deletes a commit that no ref points at, leaving a tombstone; what it held goes with the next prune.</summary>
    /// <exception cref="RepositoryException">A ref points at it, or it is not here.</exception>
    public void DeleteCommit(Checksum commit)
    {
        using RepoLock.Holder hold = Locking.Take(RepoLockKind.Exclusive);
        foreach ((string name, Checksum target) in ListRefs())
            if (target == commit)
                throw new RepositoryException($"Commit '{commit}' is referenced by '{name}'");
        foreach ((CollectionRef name, Checksum target) in ListCollectionRefs(null, RefListing.ExcludeRemotes))
            if (target == commit)
                throw new RepositoryException($"Commit '{commit}' is referenced by ({name.CollectionId}, {name.Name})");
        if (!Settings.TombstoneCommits)
        {
            Config.SetBoolean("core", "tombstone-commits", true);
            WriteConfig(Config);
        }
        DeleteObject(new ObjectName(commit, ObjectType.Commit));
    }

    /// <summary>Deletes one object and what belongs to it. The caller holds the exclusive lock.</summary>
    internal void DeleteObject(ObjectName name)
    {
        if (name.Type == ObjectType.Commit)
        {
            objects.TryUnlink(LoosePath.Of(name with { Type = ObjectType.CommitMeta }, Mode));
            if (Settings.TombstoneCommits)
                WriteTombstone(name.Checksum);
        }
        if (!objects.TryUnlink(LoosePath.Of(name, Mode)))
            throw new RepositoryException($"Deleting object {name}: it is not here");
        if (name.Type == ObjectType.Commit)
            Root.TryUnlink(PartialMarkPath(name.Checksum));
    }

    // As ostree writes it: a dictionary with the checksum's text and a NUL.
    private void WriteTombstone(Checksum commit)
    {
        using TemporaryFile file = objects.CreateTemporaryFile(0x1A4);
        Files.Write(file.Handle, Formats.GVariant.Variant.Dictionary([new("commit", Formats.GVariant.Variant.ByteString(commit.ToString()))]).Data.Span);
        file.ReplaceAs(objects, LoosePath.Of(commit, ObjectType.TombstoneCommit, Mode));
    }
}
