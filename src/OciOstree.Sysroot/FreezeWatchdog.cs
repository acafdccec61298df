using System.Diagnostics;
using System.Runtime.InteropServices;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// Flushes a file system by freezing and thawing it at once, guarded by a second process that thaws if the first dies in between. The two speak by single bytes:
/// the guard says that it is ready, then hears that the freeze begins, then that it is over; an end of file or a long silence instead means that it has to thaw.
/// </summary>
public static class FreezeWatchdog
{
    private const byte Signal = (byte)'!';
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The guard's side, over standard input and output.</summary>
    /// <param name="path">A directory on the file system.</param>
    public static void Guard(string path)
    {
        // An interrupted upgrade must not leave a frozen system.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = true);
        bool testing = SysrootDebug.FromEnvironment().TestFreeze;
        using LinuxDirectory directory = LinuxDirectory.Open(path);
        using Stream input = Console.OpenStandardInput();
        using Stream output = Console.OpenStandardOutput();
        output.WriteByte(Signal);
        output.Flush();
        if (input.ReadByte() != Signal)
        {
            return;
        }
        Task<int> end = Task.Run(input.ReadByte);
        if (!end.Wait(testing ? TimeSpan.FromSeconds(1) : Patience) || end.Result != Signal)
        {
            // Not frozen, not allowed, not supported: then there is nothing to thaw.
            Freezer.Thaw(directory.Handle);
        }
        if (testing)
        {
            Console.Error.WriteLine("fifreeze watchdog was run");
        }
    }

    /// <summary>The other side: freezes and thaws; where that cannot be done, a plain flush.</summary>
    internal static void FlushByFreezing(LinuxDirectory directory, IReadOnlyList<string> command, bool test)
    {
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), System.IO.Path.GetFullPath(directory.Path)]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        try
        {
            using Process guard = Process.Start(start)!;
            using Stream toGuard = guard.StandardInput.BaseStream, fromGuard = guard.StandardOutput.BaseStream;
            if (fromGuard.ReadByte() != Signal)
            {
                throw new SysrootException("the watchdog did not start");
            }
            Send(toGuard);
            if (test)
            {
                guard.WaitForExit();
                throw new SysrootException("aborting due to test-fifreeze");
            }
            Errno frozen = Freezer.Freeze(directory.Handle);
            Errno thawed = frozen == Errno.None ? Freezer.Thaw(directory.Handle) : Errno.None;
            if (frozen is Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.EPERM or Errno.EBUSY or Errno.ENOTTY)
            {
                directory.SyncFileSystem();
            }
            else if (frozen != Errno.None)
            {
                throw new LinuxException(frozen, "freeze", directory.Path);
            }
            // EINVAL: somebody else has thawed it.
            if (thawed is not (Errno.None or Errno.EINVAL))
            {
                throw new LinuxException(thawed, "thaw", directory.Path);
            }
            Send(toGuard);
            guard.WaitForExit();
        }
        catch (Exception e) when (e is SysrootException or IOException or System.ComponentModel.Win32Exception)
        {
            throw new SysrootException("During fsfreeze-thaw", e);
        }
    }

    private static void Send(Stream toGuard)
    {
        toGuard.WriteByte(Signal);
        toGuard.Flush();
    }
}
