using System.Runtime.ExceptionServices;

namespace OciOstree.Linux;

public static class Namespaces
{
    /// <summary>
    /// Gives the calling thread, and every thread that it starts from now on, a mount namespace of its own. Mounts made outside still appear inside,
    /// those made inside stay there. Threads that already run keep seeing the old one: call it before starting any that touch files.
    /// </summary>
    /// <param name="propagate">Lets mounts made inside appear outside, too, where the mount above them is shared; changes to mounts that are there stay inside either way.</param>
    public static void UnshareMounts(bool propagate = false)
    {
        const int mountNamespace = 0x2_0000;
        while (Libc.unshare(mountNamespace) != 0)
            LinuxDirectory.RetryOrThrow("unshare the mount namespace", null);
        if (!propagate)
            Mounts.Mount(null, "/", null, MountFlags.Recursive | MountFlags.Slave);
    }

    /// <summary>
    /// Runs in a thread whose working directory is <paramref name="directory"/>, which a process has otherwise only one of, in the mount namespace of the calling thread.
    /// </summary>
    internal static void InDirectory(LinuxDirectory directory, Action action) => InThread(() =>
    {
        const int fileSystemAttributes = 0x200;
        while (Libc.unshare(fileSystemAttributes) != 0)
            LinuxDirectory.RetryOrThrow("unshare the working directory", null);
        while (Libc.fchdir(directory.Handle) != 0)
            LinuxDirectory.RetryOrThrow("change to", directory.Path);
        action();
    });

    /// <summary>
    /// Runs in a thread of its own, to whose end it waits: what the action changes of the thread, such as its namespaces, ends with it. What it throws is thrown here.
    /// </summary>
    public static void InThread(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
