using System.Buffers;
using System.Collections.Concurrent;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>Reads an object whole and checks it: its bytes against its name, its structure, its mode.</summary>
    /// <returns>False if it is not here.</returns>
    /// <exception cref="RepositoryException">It is damaged.</exception>
    public bool VerifyObject(ObjectName name)
    {
        try
        {
            if (name.Type == ObjectType.File)
                return VerifyContent(name.Checksum);
            if (TryReadMetadata(name) is not { } bytes)
                return false;
            RepoTransaction.Validate(name, bytes.Span);
            return true;
        }
        catch (Exception e) when (e is RepositoryException or IOException)
        {
            throw new RepositoryException(name.Type == ObjectType.File ? $"fsck content object {name.Checksum}" : $"fsck {name}", e);
        }
    }

    private bool VerifyContent(Checksum checksum)
    {
        using RepoFile? file = TryOpenFile(checksum, verify: true);
        if (file is null)
            return false;
        file.Header.Validate();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            while (file.Content.Read(buffer) > 0)
            {
            }
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Checks every object of every commit that is here and not marked as partial, on all processors, and that refs lead to commits.
    /// </summary>
    /// <exception cref="RepositoryException">A damaged object, unless <see cref="FsckOptions.KeepGoing"/> or <see cref="FsckOptions.Delete"/>; a wrong binding; a ref without its commit.</exception>
    public FsckResult Fsck(FsckOptions options, CancellationToken cancellation = default)
    {
        FsckRun run = new(this, options, cancellation);
        return run.Go();
    }

    private sealed class FsckRun(Repo repo, FsckOptions options, CancellationToken cancellation)
    {
        private readonly ConcurrentBag<ObjectName> missing = [], corrupted = [];
        private readonly HashSet<Checksum> commits = [];
        private readonly List<(Checksum Target, Commit Commit, string? Collection, string Name)> unverified = [];
        private readonly Lock gate = new();

        public FsckResult Go()
        {
            options.Stage("Validating refs...");
            foreach ((string refspec, Checksum target) in repo.ListRefs())
                CheckRef(null, RefSpec.Parse(refspec).Name, target);
            options.Stage("Validating refs in collections...");
            foreach ((CollectionRef collectionRef, Checksum target) in repo.ListCollectionRefs(null, RefListing.ExcludeRemotes))
                CheckRef(collectionRef.CollectionId, collectionRef.Name, target);
            options.Stage("Enumerating commits...");
            (int partial, List<Checksum> brokenByFsck, List<Checksum> orphans) = EnumerateCommits();
            // ostree promises that one check implies the other and forgets it; done here, the complaint it does make still comes first.
            if (options.VerifyBackRefs && !options.VerifyBindings)
                foreach ((Checksum target, Commit commit, string? collection, string name) in unverified)
                    Bindings.Verify(target, commit, collection, name);
            options.Stage($"Verifying content integrity of {commits.Count} commit objects...");
            VerifyAll();
            if (options.AddTombstones)
                AddTombstones(orphans);
            return new FsckResult(commits.Count, partial, brokenByFsck, [.. missing.Order()], [.. corrupted.Order()]);
        }

        private void CheckRef(string? collection, string name, Checksum target)
        {
            bool sound = Check(new ObjectName(target, ObjectType.Commit), known: false);
            string shown = collection is null ? name : $"({collection}, {name})";
            Commit commit;
            try
            {
                commit = repo.ReadCommit(target);
            }
            catch (RepositoryException e)
            {
                RepositoryException failure = new($"Loading commit for ref {shown}", e);
                if (!options.KeepGoing || sound)
                    throw failure;
                // Said already of which object; of the rest of the repository more is to be found.
                options.Report(ErrorChain.Of(failure));
                return;
            }
            if (options.VerifyBindings)
                Bindings.Verify(target, commit, collection, name);
            else if (options.VerifyBackRefs)
                unverified.Add((target, commit, collection, name));
        }

        private (int Partial, List<Checksum> BrokenByFsck, List<Checksum> Orphans) EnumerateCommits()
        {
            int partial = 0;
            List<Checksum> orphans = [], brokenByFsck = [];
            foreach (Checksum checksum in repo.CommitsStartingWith(""))
            {
                cancellation.ThrowIfCancellationRequested();
                if (repo.StateOf(checksum) is var state && state != CommitState.Whole)
                {
                    partial++;
                    if (state == CommitState.PartialByFsck)
                        brokenByFsck.Add(checksum);
                }
                else
                {
                    commits.Add(checksum);
                }
                if (!options.VerifyBackRefs && !options.AddTombstones)
                    continue;
                Commit commit;
                try
                {
                    commit = repo.ReadCommit(checksum);
                }
                catch (RepositoryException) when (commits.Contains(checksum))
                {
                    continue; // reported, and deleted if wanted, when its turn comes
                }
                if (options.VerifyBackRefs)
                    Bindings.VerifyBack(repo, checksum, commit);
                if (options.AddTombstones && commit.Parent is { } parent && !repo.HasObject(new ObjectName(parent, ObjectType.Commit)))
                    orphans.Add(checksum);
            }
            return (partial, brokenByFsck, orphans);
        }

        private void VerifyAll()
        {
            HashSet<ObjectName> reachable = [];
            foreach (Checksum commit in commits)
            {
                cancellation.ThrowIfCancellationRequested();
                Collect(commit, reachable);
            }
            // In the order of names, which is that of the directories they lie in.
            ObjectName[] objects = [.. reachable];
            Array.Sort(objects);
            int done = 0;
            Workers.Each(objects, cancellation, name =>
            {
                Check(name, known: true);
                options.Progress(Interlocked.Increment(ref done), objects.Length);
            });
        }

        // A tree with holes in it is walked as far as it goes: what is missing or damaged is reported when its turn comes.
        private void Collect(Checksum commit, HashSet<ObjectName> reachable)
        {
            reachable.Add(new ObjectName(commit, ObjectType.Commit));
            Commit parsed;
            try
            {
                parsed = repo.ReadCommit(commit);
            }
            catch (RepositoryException)
            {
                return;
            }
            reachable.Add(new ObjectName(parsed.RootMeta, ObjectType.DirMeta));
            Stack<Checksum> pending = new([parsed.RootTree]);
            while (pending.TryPop(out Checksum tree))
            {
                if (!reachable.Add(new ObjectName(tree, ObjectType.DirTree)))
                    continue;
                DirTree directory;
                try
                {
                    directory = repo.ReadDirTree(tree);
                }
                catch (RepositoryException)
                {
                    continue;
                }
                foreach (DirTreeFile file in directory.Files)
                    reachable.Add(new ObjectName(file.Checksum, ObjectType.File));
                foreach (DirTreeDirectory below in directory.Directories)
                {
                    reachable.Add(new ObjectName(below.Meta, ObjectType.DirMeta));
                    pending.Push(below.Tree);
                }
            }
        }

        private bool Check(ObjectName name, bool known)
        {
            RepositoryException? damage = null;
            bool present = true;
            try
            {
                present = repo.VerifyObject(name);
            }
            catch (RepositoryException e)
            {
                damage = e;
            }
            if (present && damage is null)
                return true;
            lock (gate)
                Report(name, damage, known ? CommitsWith(name) : []);
            return false;
        }

        private void Report(ObjectName name, RepositoryException? damage, List<Checksum> owners)
        {
            string list = string.Join(", ", owners);
            if (damage is null)
            {
                missing.Add(name);
                options.Report(owners.Count > 0 ? $"Object missing in commits {list}: {name}" : $"Object missing: {name}");
            }
            else
            {
                corrupted.Add(name);
                RepositoryException shown = owners.Count > 0 ? new RepositoryException($"In commits {list}", damage) : damage;
                if (!options.Delete && !options.KeepGoing)
                    throw shown;
                options.Report(ErrorChain.Of(shown));
                if (!options.Delete)
                    return;
                repo.objects.TryUnlink(LoosePath.Of(name, repo.Mode));
            }
            if (name.Type == ObjectType.Commit)
                return;
            foreach (Checksum owner in owners.Where(owner => repo.StateOf(owner) == CommitState.Whole))
            {
                options.Report($"Marking commit as partial: {owner}");
                repo.Root.TryMakeDirectory("state", repo.DirectoryMode);
                repo.Root.ReplaceFile(PartialMarkPath(owner), "f"u8, 0x1A4, repo.Settings.Fsync);
            }
        }

        // Only asked for when something is wrong, so that an fsck need not remember every object's commits.
        private List<Checksum> CommitsWith(ObjectName name)
        {
            List<Checksum> owners = [];
            foreach (Checksum commit in commits.Order())
            {
                HashSet<ObjectName> reachable = [];
                Collect(commit, reachable);
                if (reachable.Contains(name))
                    owners.Add(commit);
            }
            return owners;
        }

        private void AddTombstones(List<Checksum> orphans)
        {
            if (orphans.Count == 0)
                return;
            repo.Config.SetBoolean("core", "tombstone-commits", true);
            repo.WriteConfig(repo.Config);
            using RepoLock.Holder hold = repo.Locking.Take(RepoLockKind.Exclusive, cancellation);
            foreach (Checksum orphan in orphans)
            {
                options.Done($"Adding tombstone for commit {orphan}");
                repo.DeleteObject(new ObjectName(orphan, ObjectType.Commit));
            }
        }
    }
}
