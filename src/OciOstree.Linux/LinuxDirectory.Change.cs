using System.Security.Cryptography;

namespace OciOstree.Linux;

public sealed partial class LinuxDirectory
{
    /// <summary>Makes a directory with exactly this mode, whatever the umask.</summary>
    public void MakeDirectory(string name, uint mode)
    {
        if (!TryMakeDirectory(name, mode))
            throw Failure(Errno.EEXIST, "make the directory", name);
    }

    /// <summary>As <see cref="MakeDirectory"/>, false if the name exists (whatever it is; its mode is not touched).</summary>
    public bool TryMakeDirectory(string name, uint mode)
    {
        while (Libc.mkdirat(Handle, name, mode & 0x3FF) != 0)
        {
            if (Libc.LastError == Errno.EEXIST)
                return false;
            RetryOrThrow("make the directory", name, this);
        }
        // The umask, a default ACL and an inherited setgid bit all change what mkdir was asked for.
        SetMode(name, mode);
        return true;
    }

    /// <summary>Makes every missing directory of a relative path. Existing ones are left alone; links among them are followed.</summary>
    public void MakePath(string relative, uint mode)
    {
        relative = relative.TrimEnd('/');
        if (relative.Length == 0 || TryStatus(relative, followLinks: true) is { IsDirectory: true })
            return;
        for (int slash = relative.IndexOf('/', 1); ; slash = relative.IndexOf('/', slash + 1))
        {
            string part = slash < 0 ? relative : relative[..slash];
            if (!part.EndsWith('/') && !TryMakeDirectory(part, mode) && !Status(part, followLinks: true).IsDirectory)
                throw Failure(Errno.ENOTDIR, "make the directory", part);
            if (slash < 0)
                return;
        }
    }

    /// <summary>Makes a directory named <paramref name="prefix"/> and six random letters and digits.</summary>
    public LinuxDirectory MakeUniqueDirectory(string prefix, uint mode, out string name)
    {
        do
        {
            name = prefix + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 6);
        }
        while (!TryMakeDirectory(name, mode));
        return OpenDirectory(name);
    }

    public void MakeSymbolicLink(string target, string name)
    {
        while (Libc.symlinkat(target, Handle, name) != 0)
            RetryOrThrow("make the link", name, this);
    }

    /// <summary>Makes a FIFO, socket or device node; <paramref name="mode"/> holds the type bits.</summary>
    public void MakeNode(string name, uint mode, uint deviceMajor = 0, uint deviceMinor = 0)
    {
        while (Libc.mknodat(Handle, name, mode, FileStatus.MakeDevice(deviceMajor, deviceMinor)) != 0)
            RetryOrThrow("make the node", name, this);
        SetMode(name, mode & ModeBits.PermissionMask);
    }

    /// <summary>Gives <paramref name="name"/> (the link itself, if it is one) a second name.</summary>
    public void MakeLink(string name, LinuxDirectory to, string toName)
    {
        if (!TryMakeLink(name, to, toName, out var errno))
            throw to.Failure(errno, "link", toName);
    }

    /// <summary>As <see cref="MakeLink"/>; on false <paramref name="errno"/> says why (EEXIST, EMLINK, EXDEV, EPERM, …).</summary>
    public bool TryMakeLink(string name, LinuxDirectory to, string toName, out Errno errno)
    {
        errno = Errno.None;
        while (Libc.linkat(Handle, name, to.Handle, toName, 0) != 0)
        {
            errno = Libc.LastError;
            if (errno != Errno.EINTR)
                return false;
        }
        errno = Errno.None;
        return true;
    }

    /// <summary>
    /// Renames. <see cref="RenameFlags.NoReplace"/> works everywhere (for files through a link where the kernel lacks it);
    /// <see cref="RenameFlags.Exchange"/> throws EINVAL or ENOSYS where the file system lacks it.
    /// </summary>
    public void Rename(string name, LinuxDirectory to, string toName, RenameFlags flags = RenameFlags.None)
    {
        var errno = RenameCore(name, to, toName, flags);
        if (errno != Errno.None)
            throw new LinuxException(errno, $"rename {FileName.ForDisplay(PathOf(name))} to", to.PathOf(toName));
    }

    /// <summary>Renames without replacing; false if the target exists.</summary>
    public bool TryRenameNoReplace(string name, LinuxDirectory to, string toName)
    {
        var errno = RenameCore(name, to, toName, RenameFlags.NoReplace);
        return errno switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            _ => throw new LinuxException(errno, $"rename {FileName.ForDisplay(PathOf(name))} to", to.PathOf(toName)),
        };
    }

    public void Unlink(string name)
    {
        while (Libc.unlinkat(Handle, name, 0) != 0)
            RetryOrThrow("remove", name, this);
    }

    /// <summary>As <see cref="Unlink"/>, false if the name does not exist.</summary>
    public bool TryUnlink(string name)
    {
        while (Libc.unlinkat(Handle, name, 0) != 0)
        {
            if (Libc.LastError == Errno.ENOENT)
                return false;
            RetryOrThrow("remove", name, this);
        }
        return true;
    }

    /// <summary>Removes an empty directory.</summary>
    public void RemoveDirectory(string name)
    {
        while (Libc.unlinkat(Handle, name, Libc.AT_REMOVEDIR) != 0)
            RetryOrThrow("remove the directory", name, this);
    }

    /// <summary>Sets permission bits without following a link; a link itself has none to set (EOPNOTSUPP).</summary>
    public void SetMode(string name, uint mode)
    {
        if (Kernel.MayTry(KernelAbility.ChangeModeNoFollow))
        {
            int result;
            while ((result = Libc.fchmodat(Handle, name, mode & ModeBits.PermissionMask, Libc.AT_SYMLINK_NOFOLLOW)) != 0 && Libc.LastError == Errno.EINTR)
            {
            }
            if (result == 0)
                return;
            if (Libc.LastError is not (Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.EINVAL))
                throw Failure(Libc.LastError, "change the mode of", name);
        }
        if (Status(name).IsSymbolicLink)
            throw Failure(Errno.EOPNOTSUPP, "change the mode of", name);
        // NonBlocking: opening a FIFO or a tty must not wait.
        using var file = OpenFile(name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        Files.SetMode(file, mode, PathOf(name));
    }

    /// <summary>Sets owner and group, of the link itself if it is one.</summary>
    public void SetOwner(string name, uint uid, uint gid)
    {
        while (Libc.fchownat(Handle, name, uid, gid, Libc.AT_SYMLINK_NOFOLLOW) != 0)
            RetryOrThrow("change the owner of", name, this);
    }

    /// <summary>Sets the modification time, of the link itself if it is one; the access time stays.</summary>
    public unsafe void SetModified(string name, long seconds, uint nanoseconds = 0)
    {
        var times = stackalloc TimeSpecification[2];
        times[0] = new TimeSpecification { Nanoseconds = TimeSpecification.Omit };
        times[1] = new TimeSpecification { Seconds = seconds, Nanoseconds = nanoseconds };
        while (Libc.utimensat(Handle, name, times, Libc.AT_SYMLINK_NOFOLLOW) != 0)
            RetryOrThrow("change the times of", name, this);
    }

    private Errno RenameCore(string name, LinuxDirectory to, string toName, RenameFlags flags)
    {
        Errno errno;
        if (flags == RenameFlags.None)
        {
            while (Libc.renameat(Handle, name, to.Handle, toName) != 0)
            {
                if ((errno = Libc.LastError) != Errno.EINTR)
                    return errno;
            }
            return Errno.None;
        }
        errno = Errno.ENOSYS;
        if (Kernel.MayTry(KernelAbility.RenameFlags))
        {
            do
            {
                if (Libc.renameat2(Handle, name, to.Handle, toName, (uint)flags) == 0)
                    return Errno.None;
                errno = Libc.LastError;
            }
            while (errno == Errno.EINTR);
        }
        if (flags != RenameFlags.NoReplace || errno is not (Errno.ENOSYS or Errno.EINVAL))
            return errno;

        // Without the flag: link() refuses an existing name just as atomically, and mkdir() does for directories,
        // over whose empty result rename() then goes.
        if (!Status(name).IsDirectory)
        {
            if (!TryMakeLink(name, to, toName, out errno))
                return errno;
            Unlink(name);
            return Errno.None;
        }
        if (!to.TryMakeDirectory(toName, 0x1C0))
            return Errno.EEXIST;
        errno = RenameCore(name, to, toName, RenameFlags.None);
        if (errno != Errno.None)
            to.RemoveDirectory(toName);
        return errno;
    }
}
