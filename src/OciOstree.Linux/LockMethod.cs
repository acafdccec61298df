namespace OciOstree.Linux;

/// <summary>The kernel's two locks that belong to an open file; they do not see each other.</summary>
public enum LockMethod
{
    /// <summary><c>fcntl(F_OFD_SETLK)</c>, or <c>flock</c> where the kernel answers EINVAL: what ostree takes on its repository, its sysroot and its staging directories.</summary>
    OpenFileDescription,
    /// <summary><c>flock(2)</c>.</summary>
    Flock,
}
