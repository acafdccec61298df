using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// A lock on a whole file, held until disposed. It excludes other open descriptions of the file, in this process as in others,
/// so two of these in one process exclude each other too.
/// </summary>
public sealed class FileLock : IDisposable
{
    private readonly LinuxDirectory? removeFrom;
    private readonly LockMethod method;
    private readonly string name;

    private FileLock(SafeFileHandle handle, LockKind kind, LockMethod method, string name, LinuxDirectory? removeFrom)
    {
        Handle = handle;
        Kind = kind;
        this.method = method;
        this.name = name;
        this.removeFrom = removeFrom;
    }

    public SafeFileHandle Handle { get; }

    public LockKind Kind { get; private set; }

    /// <summary>
    /// Creates the lock file if need be and waits for the lock; ETIMEDOUT after <paramref name="timeout"/> (null: no limit).
    /// With <paramref name="removeOnRelease"/> the last holder removes the file when it lets go, as ostree does with its own lock files
    /// (its repository's <c>.lock</c> stays).
    /// </summary>
    public static FileLock Acquire(LinuxDirectory directory, string name, LockKind kind, TimeSpan? timeout = null,
        LockMethod method = LockMethod.OpenFileDescription, bool removeOnRelease = false)
    {
        if (timeout is null)
            return Take(directory, name, kind, wait: true, method, removeOnRelease)!;
        long start = Stopwatch.GetTimestamp();
        for (int pause = 5; ; pause = Math.Min(pause * 2, 250))
        {
            if (Take(directory, name, kind, wait: false, method, removeOnRelease) is { } taken)
                return taken;
            var left = timeout.Value - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                throw directory.Failure(Errno.ETIMEDOUT, "lock", name);
            Thread.Sleep(TimeSpan.FromMilliseconds(Math.Min(pause, left.TotalMilliseconds + 1)));
        }
    }

    /// <summary>As <see cref="Acquire"/>, null if somebody else holds it.</summary>
    public static FileLock? TryAcquire(LinuxDirectory directory, string name, LockKind kind,
        LockMethod method = LockMethod.OpenFileDescription, bool removeOnRelease = false) =>
        Take(directory, name, kind, wait: false, method, removeOnRelease);

    /// <summary>Changes the kind in place: false if another holder stands in the way of going exclusive. Not atomic: another may get in between.</summary>
    public bool TryChange(LockKind kind)
    {
        var errno = Lock(Handle, kind, wait: false, method);
        if (errno is Errno.EAGAIN or Errno.EACCES)
            return false;
        if (errno != Errno.None)
            throw new LinuxException(errno, "lock", name);
        Kind = kind;
        return true;
    }

    public void Dispose()
    {
        if (Handle.IsClosed)
            return;
        if (removeFrom is not null)
        {
            // Only an exclusive holder may take the file away; its waiters notice and begin again.
            if (Kind == LockKind.Exclusive || Lock(Handle, LockKind.Exclusive, wait: false, method) == Errno.None)
                removeFrom.TryUnlink(name);
            removeFrom.Dispose();
        }
        Handle.Dispose();
    }

    private static FileLock? Take(LinuxDirectory directory, string name, LockKind kind, bool wait, LockMethod method, bool removeOnRelease)
    {
        while (true)
        {
            var handle = directory.OpenFile(name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow, 0x1B0);
            try
            {
                var errno = Lock(handle, kind, wait, method);
                if (errno is Errno.EAGAIN or Errno.EACCES)
                {
                    handle.Dispose();
                    return null;
                }
                if (errno != Errno.None)
                    throw directory.Failure(errno, "lock", name);
                if (Files.Status(handle).LinkCount > 0)
                    return new FileLock(handle, kind, method, name, removeOnRelease ? directory.Duplicate() : null);
                handle.Dispose();   // its last holder removed the file between our open and our lock
            }
            catch
            {
                handle.Dispose();
                throw;
            }
        }
    }

    private static unsafe Errno Lock(SafeFileHandle handle, LockKind kind, bool wait, LockMethod method)
    {
        if (method == LockMethod.OpenFileDescription && Kernel.MayTry(KernelAbility.DescriptorLocks))
        {
            const int setLock = 37, setLockWaiting = 38;
            var range = new LockRange { Type = (short)(kind == LockKind.Exclusive ? 1 : 0) };
            while (true)
            {
                if (Libc.fcntl(handle, wait ? setLockWaiting : setLock, &range) == 0)
                    return Errno.None;
                if (Libc.LastError == Errno.EINVAL)
                    break;
                if (Libc.LastError != Errno.EINTR)
                    return Libc.LastError;
            }
        }
        const int shared = 1, exclusive = 2, nonBlocking = 4;
        int operation = (kind == LockKind.Exclusive ? exclusive : shared) | (wait ? 0 : nonBlocking);
        while (Libc.flock(handle, operation) != 0)
        {
            if (Libc.LastError != Errno.EINTR)
                return Libc.LastError;
        }
        return Errno.None;
    }
}
