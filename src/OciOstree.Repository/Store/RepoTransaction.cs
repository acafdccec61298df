using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The one way into a repository. Objects are complete before they have a name, wait in a staging directory, and reach <c>objects/</c>
/// together, flushed, before any ref moves. Writing is safe from many threads at once; none waits for another's I/O.
/// Disposed without <see cref="Commit"/>, a transaction leaves refs and objects as they were, and what it had written to the next one.
/// </summary>
public sealed partial class RepoTransaction : IDisposable
{
    private readonly LinuxDirectory temporary;
    private readonly RepoLock.Holder hold;
    private readonly Lock stagingGate = new();
    private readonly bool[] madePrefixes = new bool[512];
    private volatile StagingDirectory? staging;
    private bool discardStaging;
    private bool finished;

    private long metadataTotal, metadataWritten, contentTotal, contentWritten, contentBytesWritten;

    internal RepoTransaction(Repo repo)
    {
        Repo = repo;
        hold = repo.Locking.Take(RepoLockKind.Shared);
        try
        {
            repo.Root.TryMakeDirectory("tmp", repo.DirectoryMode);
            temporary = repo.Root.OpenDirectory("tmp", followLinks: true);
            space = new SpaceReserve(repo);
        }
        catch (LinuxException e)
        {
            temporary?.Dispose();
            hold.Dispose();
            throw new RepositoryException("Starting a transaction", e);
        }
    }

    public Repo Repo { get; }

    /// <summary>Whether a repository that keeps its summary up to date does so when refs have changed; not while a summary is being made.</summary>
    internal bool KeepsSummary { get; init; } = true;

    /// <summary>Whether an object is in the repository, its parents, or written by a running transaction.</summary>
    public bool HasObject(ObjectName name) => Repo.HasObject(name);

    internal long ContentBytesWritten => Interlocked.Read(ref contentBytesWritten);

    // Made at the first object, so that a transaction that only moves refs costs nothing.
    private StagingDirectory Staging
    {
        get
        {
            if (staging is { } ready)
                return ready;
            lock (stagingGate)
            {
                ObjectDisposedException.ThrowIf(finished, this);
                if (staging is null)
                {
                    StagingDirectory allocated = AllocateStaging();
                    Repo.AddStage(allocated);
                    staging = allocated;
                }
                return staging;
            }
        }
    }

    // Of the repository, not of the object that happens to be the first.
    private StagingDirectory AllocateStaging()
    {
        try
        {
            return StagingDirectory.Allocate(temporary);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
        {
            throw new RepositoryException("Cannot write to repository", e);
        }
    }

    /// <summary>The staging directory for an object, with its subdirectory made.</summary>
    internal LinuxDirectory StageFor(ObjectName name)
    {
        StagingDirectory staged = Staging;
        LinuxDirectory stage = staged.For(name.Type);
        int prefix = name.Checksum.FirstByte;
        // Two threads may both make it; the second finds it there.
        ref bool made = ref madePrefixes[stage == staged.Last ? prefix + 256 : prefix];
        if (!Volatile.Read(ref made))
        {
            stage.TryMakeDirectory(LoosePath.Prefix(prefix), Repo.DirectoryMode);
            Volatile.Write(ref made, true);
        }
        return stage;
    }

    internal TemporaryFile CreateStagedFile() => Staging.Directory.CreateTemporaryFile();

    /// <summary>
    /// Takes over now, instead of with the first object, what an interrupted transaction of this boot had staged:
    /// <see cref="Repo.HasObject"/> then tells what need not be brought again.
    /// </summary>
    public void Resume() => _ = Staging;

    /// <summary>
    /// Makes everything visible: flushes the file system once, moves the objects, then marks and refs. All threads that wrote must have finished.
    /// </summary>
    /// <exception cref="RepositoryException">Something could not be written; refs are then as they were, or some of them if it was a ref that failed.</exception>
    public TransactionStats Commit()
    {
        ObjectDisposedException.ThrowIf(finished, this);
        finished = true;
        try
        {
            if (staging is not null)
            {
                if (Repo.Settings.Fsync)
                    temporary.SyncFileSystem();
                // As in libostree: how a crash at the worst moment is tested from outside.
                if (Environment.GetEnvironmentVariable("OSTREE_REPO_TEST_ERROR") == "pre-commit")
                    throw new RepositoryException("OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified");
                // A commit that is known to be incomplete must never be seen without its mark.
                WritePartialMarks();
                MoveObjects(staging.Directory);
                MoveObjects(staging.Last);
                Repo.RemoveStage(staging);
                staging.Delete();
                staging = null;
            }
            else
            {
                WritePartialMarks();
            }
            StagingDirectory.CleanUp(temporary, Repo.Settings.TemporaryExpiry);
            RemoveSuperseded();
            RemovePartialMarks();
            WriteRefs();
            if (KeepsSummary && refs.Count > 0 && Repo.Settings.AutoUpdateSummary)
                RepoSummary.Update(Repo, []);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException("Committing the transaction", e);
        }
        finally
        {
            Release();
        }
        return new TransactionStats(metadataTotal, metadataWritten, contentTotal, contentWritten, contentBytesWritten);
    }

    private void MoveObjects(LinuxDirectory stage)
    {
        bool sync = Repo.Settings.Fsync;
        List<string> prefixes = [.. stage.ReadEntries().Where(entry => entry.Name.Length == 2 && entry.Type is FileType.Directory or FileType.Unknown).Select(entry => entry.Name)];
        Workers.Each(prefixes, CancellationToken.None, prefix =>
        {
            using LinuxDirectory from = stage.OpenDirectory(prefix);
            Repo.Objects.TryMakeDirectory(prefix, Repo.DirectoryMode);
            using LinuxDirectory to = Repo.Objects.OpenDirectory(prefix);
            foreach (DirectoryEntry entry in from.ReadEntries())
            {
                // An object that is there keeps its inode: checkouts are links to it. What its name does not determine is replaced.
                if (IsReplaceable(entry.Name))
                    from.Rename(entry.Name, to, entry.Name);
                else if (!from.TryRenameNoReplace(entry.Name, to, entry.Name))
                    from.Unlink(entry.Name);
            }
            if (sync)
                to.Sync();
        });
        if (sync && prefixes.Count > 0)
            Repo.Objects.Sync();
    }

    internal static bool IsReplaceable(string file) => file.EndsWith(".commitmeta", StringComparison.Ordinal) || file.EndsWith(".tombstone-commit", StringComparison.Ordinal)
        || file.EndsWith(".payload-link", StringComparison.Ordinal);

    public void Dispose()
    {
        finished = true;
        Release();
    }

    private void Release()
    {
        lock (stagingGate)
        {
            if (staging is { } left)
            {
                Repo.RemoveStage(left);
                // Verified objects are worth keeping for the next try, unless the disk is what they were too many for.
                if (discardStaging)
                    left.Delete();
                else
                    left.Dispose();
                staging = null;
            }
        }
        temporary.Dispose();
        hold.Dispose();
    }
}
