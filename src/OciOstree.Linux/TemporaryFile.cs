using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// A file that has no name until its content is complete (<c>O_TMPFILE</c>), so that a crash leaves nothing behind.
/// Where the file system cannot do that it has a random name beginning with <c>.tmp-</c>, which Dispose removes.
/// </summary>
public sealed class TemporaryFile : IDisposable
{
    private readonly LinuxDirectory? directory;   // of a named one; duplicated, for it must outlive the caller's
    private string? name;
    private bool linked;

    private TemporaryFile(LinuxDirectory? directory, SafeFileHandle handle, string? name)
    {
        this.directory = directory;
        Handle = handle;
        this.name = name;
    }

    /// <summary>Open for reading and writing, until <see cref="EndWriting"/>.</summary>
    public SafeFileHandle Handle { get; private set; }

    /// <summary>Opens the file anew for reading only, which is what the kernel demands before it protects a file by fs-verity.</summary>
    public void EndWriting()
    {
        SafeFileHandle reading = Files.Open($"/proc/self/fd/{Handle.DangerousGetHandle()}");
        Handle.Dispose();
        Handle = reading;
    }

    internal static TemporaryFile Create(LinuxDirectory directory, uint mode)
    {
        SafeFileHandle? handle = null;
        if (Kernel.MayTry(KernelAbility.UnnamedFiles))
        {
            int fd;
            while ((fd = Libc.openat(directory.Handle, ".", Libc.O_TMPFILE | OpenFlagsExtensions.CloseOnExec | (int)OpenFlags.ReadWrite, 0x180)) < 0 && Libc.LastError == Errno.EINTR)
            {
            }
            if (fd >= 0)
                handle = new SafeFileHandle(fd, ownsHandle: true);
            else if (Libc.LastError is not (Errno.EOPNOTSUPP or Errno.EISDIR or Errno.ENOENT or Errno.EINVAL))
                throw directory.Failure(Libc.LastError, "create a temporary file in", ".");
        }
        string? name = null;
        while (handle is null)
        {
            name = RandomName();
            try
            {
                handle = directory.OpenFile(name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
            }
            catch (LinuxException e) when (e.Errno == Errno.EEXIST)
            {
                name = null;   // taken: draw again
            }
        }
        try
        {
            if (mode != 0x180)   // the umask cannot take from 0600 what matters
                Files.SetMode(handle, mode, directory.Path);
            return new TemporaryFile(name is null ? null : directory.Duplicate(), handle, name);
        }
        catch
        {
            handle.Dispose();
            if (name is not null)
                directory.TryUnlink(name);
            throw;
        }
    }

    /// <summary>Gives the file its name; EEXIST if that is taken.</summary>
    public void LinkAs(LinuxDirectory directory, string name)
    {
        if (!TryLinkAs(directory, name))
            throw directory.Failure(Errno.EEXIST, "link", name);
    }

    /// <summary>As <see cref="LinkAs"/>, false if the name is taken; the file then still has none.</summary>
    public bool TryLinkAs(LinuxDirectory directory, string name)
    {
        var errno = this.name is null ? LinkUnnamed(directory, name) : LinkNamed(directory, name);
        if (errno == Errno.EEXIST)
            return false;
        if (errno != Errno.None)
            throw directory.Failure(errno, "link", name);
        linked = true;
        return true;
    }

    /// <summary>Gives the file a name atomically, over whatever file had it.</summary>
    public void ReplaceAs(LinuxDirectory directory, string name)
    {
        if (this.name is not null && !linked)
        {
            this.directory!.Rename(this.name, directory, name);
            this.name = null;
            linked = true;
            return;
        }
        // linkat() cannot replace: take a free name first, then rename.
        if (TryLinkAs(directory, name))
            return;
        while (true)
        {
            string step = RandomName();
            if (!TryLinkAs(directory, step))
                continue;
            try
            {
                directory.Rename(step, directory, name);
                return;
            }
            catch
            {
                directory.TryUnlink(step);
                throw;
            }
        }
    }

    public void Dispose()
    {
        Handle.Dispose();
        using LinuxDirectory? held = directory;
        if (name is not null && held is { Handle.IsClosed: false })
            held.TryUnlink(name);
    }

    private Errno LinkNamed(LinuxDirectory directory, string name) =>
        this.directory!.TryMakeLink(this.name!, directory, name, out var errno) ? Errno.None : errno;

    private Errno LinkUnnamed(LinuxDirectory directory, string name)
    {
        Errno errno;
        if (Kernel.MayTry(KernelAbility.LinkByDescriptor))
        {
            do
            {
                if (Libc.linkat(Handle, "", directory.Handle, name, Libc.AT_EMPTY_PATH) == 0)
                    return Errno.None;
                errno = Libc.LastError;
            }
            while (errno == Errno.EINTR);
            if (errno != Errno.ENOENT)   // which is also how the kernel says "not without CAP_DAC_READ_SEARCH"
                return errno;
        }
        string self = $"/proc/self/fd/{Handle.DangerousGetHandle()}";
        do
        {
            if (Libc.linkat(Libc.AT_FDCWD, self, directory.Handle, name, Libc.AT_SYMLINK_FOLLOW) == 0)
                return Errno.None;
            errno = Libc.LastError;
        }
        while (errno == Errno.EINTR);
        return errno;
    }

    private static string RandomName()
    {
        Span<byte> random = stackalloc byte[8];
        RandomNumberGenerator.Fill(random);
        return ".tmp-" + Convert.ToHexStringLower(random);
    }
}
