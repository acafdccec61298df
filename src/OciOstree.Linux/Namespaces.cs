namespace OciOstree.Linux;

public static class Namespaces
{
    /// <summary>
    /// Gives the calling thread, and every thread that it starts from now on, a mount namespace of its own. Mounts made outside still appear inside,
    /// those made inside stay there. Threads that already run keep seeing the old one: call it before starting any that touch files.
    /// </summary>
    public static void UnshareMounts()
    {
        const int mountNamespace = 0x2_0000;
        while (Libc.unshare(mountNamespace) != 0)
            LinuxDirectory.RetryOrThrow("unshare the mount namespace", null);
        Mounts.Mount(null, "/", null, MountFlags.Recursive | MountFlags.Slave);
    }
}
