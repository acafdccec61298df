namespace OciOstree.Repository;

/// <summary>Brings commits over from another repository on this machine: links where both keep objects alike, conversions otherwise, on all processors.</summary>
public static partial class LocalPull
{
    /// <summary>Runs one pull in a transaction of its own.</summary>
    /// <exception cref="RepositoryException">A ref or object is missing in the source or damaged; the destination is then as it was.</exception>
    public static TransactionStats Run(Repo source, Repo destination, LocalPullOptions options, CancellationToken cancellation = default)
    {
        // Nothing may be pruned from under us.
        using RepoLock.Holder hold = source.Locking.Take(RepoLockKind.Shared, cancellation);
        using RepoTransaction transaction = destination.BeginTransaction();
        Into(transaction, source, options, cancellation);
        return transaction.Commit();
    }

    /// <summary>Brings objects and refs into a transaction that is already running.</summary>
    public static void Into(RepoTransaction transaction, Repo source, LocalPullOptions options, CancellationToken cancellation = default)
    {
        CommitChecks checks = new(transaction.Repo, source.Settings.CollectionId, options.IgnoreBindings);
        BringRefs(transaction, source, Targets(source, options), options, checks, cancellation);
    }

    private static List<PullTarget> Targets(Repo source, LocalPullOptions options)
    {
        List<PullTarget> wanted = [];
        if (options.Refs is null)
        {
            // A remote's refs are that remote's to give: as in ostree they are no names to pull by.
            foreach ((string name, Checksum target) in source.ListRefs())
            {
                RefName.Validate(name);
                wanted.Add(new PullTarget(target, null, name));
            }
        }
        else
        {
            foreach (string name in options.Refs)
                wanted.Add(Checksum.TryParse(name, out Checksum checksum) ? new PullTarget(checksum, null, null) : new PullTarget(source.ResolveRequired(name), null, name));
        }
        return wanted;
    }

    private static void BringRefs(RepoTransaction transaction, Repo source, List<PullTarget> wanted, LocalPullOptions options, CommitChecks checks, CancellationToken cancellation)
    {
        Bring(transaction, source, [.. wanted.Select(Named)], options, checks, cancellation);
        foreach (PullTarget target in wanted)
            if (target.Ref is { } name)
                transaction.SetRef(Destination(name, options), target.Commit);
    }

    // Commits are bound to names without a remote's.
    private static PullTarget Named(PullTarget target) => target with { Ref = target.Ref is null ? null : RefSpec.Parse(target.Ref).Name };

    private static string Destination(string name, LocalPullOptions options) => options.Remote is null ? name : $"{options.Remote}:{RefSpec.Parse(name).Name}";

    /// <summary>Brings commits and what belongs to them; refs are the caller's to set.</summary>
    internal static void Bring(RepoTransaction transaction, Repo source, IReadOnlyList<PullTarget> targets, LocalPullOptions options, CommitChecks checks, CancellationToken cancellation)
    {
        foreach (PullTarget target in targets)
            PullCommits(transaction, source, target, options, checks, cancellation);
    }

    private static void PullCommits(RepoTransaction transaction, Repo source, PullTarget target, LocalPullOptions options, CommitChecks checks, CancellationToken cancellation)
    {
        Checksum tip = target.Commit;
        Checksum? next = tip;
        for (int left = options.Depth; next is { } commit; left--)
        {
            ObjectName name = new(commit, ObjectType.Commit);
            // An ancestor that the source lacks ends the history there, as it did there.
            if (commit != tip && !source.HasObject(name))
                return;
            Commit parsed = source.ReadCommit(commit);
            options.VerifyCommit?.Invoke(commit, source.ReadMetadata(name), source.ReadCommitMeta(commit));
            checks.Check(commit, parsed, commit == tip ? target : null);
            bool whole = !options.CameByDelta(commit) && transaction.Repo.HasObject(name) && transaction.Repo.StateOf(commit) == CommitState.Whole;
            if (source.StateOf(commit) != CommitState.Whole && !options.CommitsOnly && !whole)
                throw new RepositoryException($"Commit {commit} is only partly in the source repository");
            if (!whole)
            {
                if (!options.CommitsOnly)
                    PullTree(transaction, source, parsed, options, cancellation);
                transaction.MarkPartial(commit, options.CommitsOnly || options.Subpaths.Count > 0);
            }
            transaction.ImportObject(source, name, options.Untrusted, options.Untrusted ? null : options.Damaged);
            next = parsed.Parent;
            if (left == 0)
                return;
        }
    }

    private static void PullTree(RepoTransaction transaction, Repo source, Commit commit, LocalPullOptions options, CancellationToken cancellation)
    {
        HashSet<ObjectName> reachable = [new ObjectName(commit.RootMeta, ObjectType.DirMeta)];
        if (SubpathSet.Of(options.Subpaths) is { } paths)
            CollectPaths(source, commit.RootTree, paths, reachable);
        else
            source.TraverseTree(commit.RootTree, reachable);
        // By name, so that each object directory is worked through once, in both repositories.
        ObjectName[] objects = [.. reachable];
        Array.Sort(objects);
        int done = 0;
        Workers.Each(objects, cancellation, name =>
        {
            if (options.BareUserOnlyFiles && name.Type == ObjectType.File)
                RepoTransaction.ValidateBareUserOnly(name.Checksum, source.ReadFileHeader(name.Checksum, out _));
            transaction.ImportObject(source, name, options.Untrusted, options.Untrusted ? null : options.Damaged);
            options.Progress(Interlocked.Increment(ref done), objects.Length);
        });
    }

    private static void CollectPaths(Repo source, Checksum tree, SubpathSet paths, HashSet<ObjectName> reachable)
    {
        reachable.Add(new ObjectName(tree, ObjectType.DirTree));
        DirTree parsed = source.ReadDirTree(tree);
        foreach (DirTreeFile file in parsed.Files)
            if (paths.Has(file.Name, out _))
                reachable.Add(new ObjectName(file.Checksum, ObjectType.File));
        foreach (DirTreeDirectory directory in parsed.Directories)
        {
            if (!paths.Has(directory.Name, out SubpathSet? below))
                continue;
            reachable.Add(new ObjectName(directory.Meta, ObjectType.DirMeta));
            if (below is null)
                source.TraverseTree(directory.Tree, reachable);
            else
                CollectPaths(source, directory.Tree, below, reachable);
        }
    }
}
