using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>An open directory that several threads work in; the last to release it closes it.</summary>
internal sealed class SharedDirectory(LinuxDirectory open, bool owned)
{
    private int references = 1;

    public LinuxDirectory Open => open;

    public void Retain() => Interlocked.Increment(ref references);

    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0 && owned)
            open.Dispose();
    }
}
