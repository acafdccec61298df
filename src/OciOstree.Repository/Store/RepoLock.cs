using System.Diagnostics;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The lock on a repository's <c>.lock</c>, as ostree takes it: an open-file-description lock, shared by those who write and
/// exclusive for those who delete. Threads of one <see cref="Repo"/> hold it together; other instances and processes are kept out.
/// </summary>
public sealed class RepoLock : IDisposable
{
    private const string LockFile = ".lock";

    private readonly Repo repo;
    private readonly Lock gate = new();
    private FileLock? held;
    private int shared, exclusive;

    internal RepoLock(Repo repo) => this.repo = repo;

    /// <summary>Told once by each who has waited for the lock for <see cref="NoticeAfter"/>, with what it waits for.</summary>
    public Action<string>? Notice { get; set; }

    public TimeSpan NoticeAfter { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Takes the lock until the result is disposed, waiting as long as <c>core.lock-timeout-secs</c> says.</summary>
    /// <exception cref="RepositoryException">Somebody else held it all that time.</exception>
    public Holder Take(RepoLockKind kind, CancellationToken cancellation = default)
    {
        if (repo.Settings.LockTimeout is not { } timeout)
            return new Holder(null, kind);
        long start = Stopwatch.GetTimestamp();
        bool told = Notice is null;
        for (int pause = 5; ; pause = Math.Min(pause * 2, 250))
        {
            lock (gate)
            {
                if (TryTake(kind))
                    return new Holder(this, kind);
            }
            if (timeout != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(start) >= timeout)
                throw new RepositoryException($"Locking repo {(kind == RepoLockKind.Exclusive ? "exclusive" : "shared")} failed: Resource temporarily unavailable: after {timeout.TotalSeconds:0} seconds {Holders()}");
            if (!told && Stopwatch.GetElapsedTime(start) >= NoticeAfter)
            {
                told = true;
                Notice!($"Waiting for the repository's lock: {Holders()}");
            }
            if (cancellation.WaitHandle.WaitOne(pause))
                cancellation.ThrowIfCancellationRequested();
        }
    }

    private string Holders()
    {
        List<string> holders = LockHolders.Of(repo.Root, LockFile);
        return $"{repo.Root.PathOf(LockFile)} is held by {(holders.Count == 0 ? "another process" : string.Join(", ", holders))}";
    }

    private bool TryTake(RepoLockKind kind)
    {
        LockKind wanted = kind == RepoLockKind.Exclusive ? LockKind.Exclusive : LockKind.Shared;
        try
        {
            if (shared + exclusive == 0)
            {
                held = FileLock.TryAcquire(repo.Root, LockFile, wanted);
                if (held is null)
                    return false;
            }
            else if (wanted == LockKind.Exclusive && exclusive == 0 && held is not null && !held.TryChange(LockKind.Exclusive))
            {
                return false;
            }
        }
        catch (LinuxException e) when (kind == RepoLockKind.Shared && e.Errno is Errno.EACCES or Errno.EROFS or Errno.EPERM)
        {
            // Who may not write here cannot lock either, and need not: there is nothing to protect from a reader.
            held = null;
        }
        catch (LinuxException e)
        {
            throw new RepositoryException("Locking the repository", e);
        }
        _ = kind == RepoLockKind.Exclusive ? exclusive++ : shared++;
        return true;
    }

    private void Release(RepoLockKind kind)
    {
        lock (gate)
        {
            _ = kind == RepoLockKind.Exclusive ? exclusive-- : shared--;
            if (shared + exclusive == 0)
            {
                held?.Dispose();
                held = null;
            }
            else if (exclusive == 0 && held is { Kind: LockKind.Exclusive })
            {
                held.TryChange(LockKind.Shared); // a downgrade finds nobody in its way
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            held?.Dispose();
            held = null;
        }
    }

    /// <summary>One hold on the lock; disposing it lets go.</summary>
    public sealed class Holder : IDisposable
    {
        private readonly RepoLockKind kind;
        private RepoLock? owner;

        internal Holder(RepoLock? owner, RepoLockKind kind) => (this.owner, this.kind) = (owner, kind);

        public void Dispose() => Interlocked.Exchange(ref owner, null)?.Release(kind);
    }
}
