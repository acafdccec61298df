using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

public sealed partial class LinuxDirectory
{
    private const int MaximumLinks = 40;   // the kernel's own

    /// <summary>
    /// Opens a path as if this directory were <c>/</c>: absolute links and <c>..</c> stay inside, links of /proc are refused.
    /// For paths that strangers wrote. With <see cref="OpenFlags.NoFollow"/> a link in the last component is ELOOP.
    /// </summary>
    public SafeFileHandle OpenInRoot(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0)
    {
        var errno = TryOpenInRoot(path, flags, mode, out var file);
        return errno == Errno.None ? file! : throw Failure(errno, "open", path.TrimStart('/'));
    }

    /// <summary>As <see cref="OpenInRoot"/>, null on ENOENT and ENOTDIR.</summary>
    public SafeFileHandle? TryOpenInRoot(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0)
    {
        var errno = TryOpenInRoot(path, flags, mode, out var file);
        return errno switch
        {
            Errno.None => file,
            Errno.ENOENT or Errno.ENOTDIR => null,
            _ => throw Failure(errno, "open", path.TrimStart('/')),
        };
    }

    /// <summary>As <see cref="OpenInRoot"/>, for a directory; null on ENOENT and ENOTDIR.</summary>
    public LinuxDirectory? TryOpenDirectoryInRoot(string path) =>
        TryOpenInRoot(path, OpenFlags.Directory) is { } handle ? new LinuxDirectory(handle, PathOf(path.Trim('/'))) : null;

    private unsafe Errno TryOpenInRoot(string path, OpenFlags flags, uint mode, out SafeFileHandle? file)
    {
        if (path.Length == 0)
            path = ".";
        if (Kernel.MayTry(KernelAbility.OpenAt2))
        {
            var how = new OpenHow
            {
                Flags = (ulong)flags.ToKernel(),
                Mode = (flags & OpenFlags.Create) != 0 ? mode & ModeBits.PermissionMask : 0,
                Resolve = OpenHow.InRoot | OpenHow.NoMagicLinks,
            };
            // EAGAIN: somebody renamed something while the kernel was checking "..".
            for (int tries = 0; ; tries++)
            {
                long fd = Libc.openat2(Libc.SYS_openat2, Handle, path, &how, (nuint)sizeof(OpenHow));
                if (fd >= 0)
                {
                    file = new SafeFileHandle((nint)fd, ownsHandle: true);
                    return Errno.None;
                }
                var errno = Libc.LastError;
                if (errno == Errno.EINTR || (errno == Errno.EAGAIN && tries < 128))
                    continue;
                file = null;
                // EPERM is how older container sandboxes answer a call that they do not know.
                if (errno is not (Errno.ENOSYS or Errno.EPERM or Errno.EAGAIN))
                    return errno;
                break;
            }
        }
        return WalkInRoot(path, flags, mode, out file);
    }

    /// <summary>
    /// The same in userspace: one component at a time, each opened without following, a stack of open parents for <c>..</c>.
    /// Weaker than the kernel's only if somebody moves a directory out of the root during the walk.
    /// </summary>
    private Errno WalkInRoot(string path, OpenFlags flags, uint mode, out SafeFileHandle? file)
    {
        file = null;
        var parents = new Stack<LinuxDirectory>();
        try
        {
            var rest = new Stack<string>();
            Push(rest, path);
            int links = 0;
            while (rest.TryPop(out string? name))
            {
                var here = parents.TryPeek(out var top) ? top : this;
                if (name == "..")
                {
                    if (parents.TryPop(out var left))
                        left.Dispose();
                    continue;
                }
                bool last = rest.Count == 0;
                var status = here.TryStatus(name);
                if (status is { IsSymbolicLink: true } && !(last && (flags & OpenFlags.NoFollow) != 0))
                {
                    if (++links > MaximumLinks)
                        return Errno.ELOOP;
                    string target = here.ReadLink(name);
                    if (target.StartsWith('/'))
                    {
                        while (parents.TryPop(out var left))
                            left.Dispose();
                    }
                    Push(rest, target);
                    continue;
                }
                if (last && name != ".")
                {
                    file = here.OpenFile(name, flags | OpenFlags.NoFollow, mode);
                    return Errno.None;
                }
                if (name == ".")
                    continue;
                if (status is null)
                    return Errno.ENOENT;
                if (status is { IsDirectory: false })
                    return Errno.ENOTDIR;
                parents.Push(here.OpenDirectory(name));
            }
            // The path ended in "..", "." or a slash: it means the directory reached.
            file = (parents.TryPeek(out var reached) ? reached : this).OpenFile(".", flags & ~(OpenFlags.NoFollow | OpenFlags.Create | OpenFlags.Exclusive));
            return Errno.None;
        }
        catch (LinuxException e)
        {
            return e.Errno;
        }
        finally
        {
            foreach (var directory in parents)
                directory.Dispose();
        }
    }

    private static void Push(Stack<string> rest, string path)
    {
        // A trailing slash asks for a directory, as "." after it does.
        if (path.EndsWith('/'))
            rest.Push(".");
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = parts.Length - 1; i >= 0; i--)
            rest.Push(parts[i]);
    }
}
