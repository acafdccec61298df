using System.Runtime.ExceptionServices;
using OciOstree.Linux;

namespace OciOstree.Testing;

public static class PrivateMounts
{
    /// <summary>
    /// Runs in a mount namespace of its own, which the programs that it starts share: its mounts are nobody else's, and go when it ends,
    /// however it ends.
    /// </summary>
    public static void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        // A thread, since a namespace is a thread's.
        var thread = new Thread(() =>
        {
            try
            {
                Namespaces.UnshareMounts();
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
