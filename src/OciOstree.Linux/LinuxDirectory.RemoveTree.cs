using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

public sealed partial class LinuxDirectory
{
    /// <summary>How many descriptors a removal holds at most; a tree may be deeper than a process may have files open.</summary>
    private const int OpenLevels = 48;

    /// <summary>
    /// Removes a file or a whole directory; a missing name is fine. Links are removed, not followed, and another mount inside the tree
    /// ends the removal with EBUSY before anything on it is touched. Depth is bounded by neither the stack nor the descriptor limit.
    /// </summary>
    public void RemoveTree(string name)
    {
        while (Libc.unlinkat(Handle, name, 0) != 0)
        {
            switch (Libc.LastError)
            {
                case Errno.EINTR:
                    continue;
                case Errno.ENOENT:
                    return;
                case Errno.EISDIR or Errno.EPERM when TryStatus(name) is { IsDirectory: true }:
                    RemoveLevels(name);
                    return;
                default:
                    throw Failure(Libc.LastError, "remove", name);
            }
        }
    }

    /// <summary>Removes everything in this directory but not the directory.</summary>
    public void RemoveContents()
    {
        foreach (var entry in ReadEntries())
            RemoveTree(entry.Name);
    }

    private void RemoveLevels(string top)
    {
        var levels = new List<Level>();
        try
        {
            ulong mount = Status().MountId;
            levels.Add(Level.Enter(this, top, mount));
            while (levels.Count > 0)
            {
                var level = levels[^1];
                if (level.Directories.Count > 0)
                {
                    string name = level.Directories[^1];
                    levels.Add(Level.Enter(level.Open!, name, mount));
                    if (levels.Count > OpenLevels)
                        levels[^(OpenLevels + 1)].Close();
                    continue;
                }
                LinuxDirectory parent = this;
                if (levels.Count > 1)
                {
                    var above = levels[^2];
                    above.Directories.RemoveAt(above.Directories.Count - 1);
                    parent = above.Open ?? above.Reopen(level.Open!);
                }
                level.Close();
                levels.RemoveAt(levels.Count - 1);
                parent.RemoveDirectory(level.Name);
            }
        }
        finally
        {
            foreach (var level in levels)
                level.Close();
        }
    }

    /// <summary>A directory on the way down whose files are gone and whose directories are still to do.</summary>
    private sealed class Level
    {
        private readonly FileStatus status;
        private readonly string path;

        private Level(LinuxDirectory open, string name, in FileStatus status, List<string> directories)
        {
            Open = open;
            Name = name;
            this.path = open.Path;
            this.status = status;
            Directories = directories;
        }

        internal string Name { get; }
        internal LinuxDirectory? Open { get; private set; }
        internal List<string> Directories { get; }

        internal static Level Enter(LinuxDirectory parent, string name, ulong mount)
        {
            // A path of a thousand components names nothing for anyone, and would be quadratic.
            string path = parent.Path.Length < 4096 ? parent.PathOf(name) : parent.Path;
            var open = FromHandle(OpenOwn(parent, name), path);
            try
            {
                var status = open.Status();
                if (status.MountId != mount)
                    throw new LinuxException(Errno.EBUSY, "remove", path);
                return new Level(open, name, status, RemoveFiles(open));
            }
            catch
            {
                open.Dispose();
                throw;
            }
        }

        internal void Close()
        {
            Open?.Dispose();
            Open = null;
        }

        /// <summary>Comes back up from a child, making sure that nobody moved it meanwhile.</summary>
        internal LinuxDirectory Reopen(LinuxDirectory child)
        {
            Open = FromHandle(child.OpenFile("..", OpenFlags.Directory), this.path);
            return Open.Status().IsSameFile(this.status) ? Open : throw new LinuxException(Errno.ESTALE, "remove", this.path);
        }

        private static SafeFileHandle OpenOwn(LinuxDirectory parent, string name)
        {
            const OpenFlags flags = OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NoAccessTime;
            try
            {
                return parent.OpenFile(name, flags);
            }
            catch (LinuxException e) when (e.Errno == Errno.EPERM)
            {
                return parent.OpenFile(name, flags & ~OpenFlags.NoAccessTime);   // somebody else's directory
            }
            catch (LinuxException e) when (e.Errno == Errno.EACCES)
            {
                // A rootless checkout has directories that their owner may not read.
                parent.SetMode(name, 0x1C0);
                return parent.OpenFile(name, flags);
            }
        }

        private static List<string> RemoveFiles(LinuxDirectory open)
        {
            var directories = new List<string>();
            bool opened = false;
            foreach (var entry in open.ReadEntries())
            {
                if (entry.Type == FileType.Directory)
                {
                    directories.Add(entry.Name);
                    continue;
                }
                while (Libc.unlinkat(open.Handle, entry.Name, 0) != 0 && Libc.LastError is not Errno.ENOENT)
                {
                    var errno = Libc.LastError;
                    if (errno == Errno.EACCES && !opened)
                    {
                        opened = true;
                        Files.SetMode(open.Handle, 0x1C0, open.Path);
                    }
                    else if (errno != Errno.EINTR)
                    {
                        throw open.Failure(errno, "remove", entry.Name);
                    }
                }
            }
            // Removing the directories needs the same right as removing files.
            if (directories.Count > 0 && !opened && Libc.geteuid() != 0 && (open.Status().Permissions & 0xC0) != 0xC0)
                Files.SetMode(open.Handle, 0x1C0, open.Path);
            return directories;
        }
    }
}
