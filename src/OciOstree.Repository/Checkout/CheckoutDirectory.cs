using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A directory being filled. Whoever is done with it last, a thread with its files or its last subdirectory, gives it its final mode, owner and time.</summary>
internal sealed class CheckoutDirectory(CheckoutRun run, CheckoutDirectory? parent, LinuxDirectory open, DirMeta meta, bool existed, string path)
{
    // The walker itself is the first.
    private int pending = 1;

    public LinuxDirectory Open => open;

    /// <summary>It was there before: others may own it, so only names are added.</summary>
    public bool Existed => existed;

    /// <summary>Relative to what is checked out, with a slash at both ends.</summary>
    public string Path => path;

    public void Retain() => Interlocked.Increment(ref pending);

    public void Release()
    {
        if (Interlocked.Decrement(ref pending) > 0)
            return;
        try
        {
            run.FinishDirectory(open, meta, existed);
        }
        finally
        {
            open.Dispose();
            parent?.Release();
        }
    }
}
