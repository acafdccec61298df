namespace OciOstree.Sysroot;

/// <summary>How a <see cref="Sysroot"/> is opened.</summary>
public sealed class SysrootOptions
{
    /// <summary>Take no lock: for those who only look.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Called once when another process holds the lock, then again every three seconds.</summary>
    public Action? WaitingForLock { get; init; }

    /// <summary>Told what happens, a sentence at a time, in the words that ostree logs.</summary>
    public Action<string>? Message { get; init; }

    /// <summary>Told what an administrator should know though nothing failed.</summary>
    public Action<string>? Warning { get; init; }

    /// <summary>
    /// A program that thaws a frozen file system should this process die between freezing and thawing: it is run with the path of a directory there as its last
    /// argument and speaks <see cref="FreezeWatchdog"/>'s protocol. Without one, file systems are flushed but not frozen, and a boot loader that cannot replay
    /// a journal may see the state before for some seconds.
    /// </summary>
    public IReadOnlyList<string>? WatchdogCommand { get; init; }

    /// <summary>The running system's root and <c>/run</c>; tests put their own in place.</summary>
    internal string RunningRoot { get; init; } = "/";

    internal string RuntimeDirectory { get; init; } = "/run";

    /// <summary>How the unit that finalises at shutdown is started; tests have no systemd.</summary>
    internal Action? StartFinalization { get; init; }
}
