namespace OciOstree.Sysroot;

/// <summary>What went wrong with a system root. <see cref="Exception.Message"/> is one line; causes are in <see cref="Exception.InnerException"/>.</summary>
public sealed class SysrootException : Exception
{
    public SysrootException(string message) : base(message)
    {
    }

    public SysrootException(string message, Exception inner) : base(message, inner)
    {
    }
}
