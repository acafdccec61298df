using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// The three-way merge of <c>/etc</c>. Base is the old tree's <c>usr/etc</c>, ours is <c>etc</c> beside it, theirs is the new tree's <c>etc</c>, fresh from
/// its <c>usr/etc</c>: whatever ours changed, added or removed against base is done to theirs. Where both changed a file, ours wins.
/// </summary>
public static class EtcMerge
{
    private const int ComparisonBuffer = 64 * 1024;

    /// <summary>What ours changed. <paramref name="compareXattrs"/> sees extended attributes too, except labels: policy gives both trees their own.</summary>
    public static EtcDiff Compare(LinuxDirectory baseEtc, LinuxDirectory ourEtc, bool compareXattrs = true)
    {
        var diff = new EtcDiff();
        Compare(baseEtc, ourEtc, "", compareXattrs, diff);
        return diff;
    }

    /// <summary>Whether both trees have the same at a path, as far as a merge cares; of directories, whatever is in them.</summary>
    internal static bool IsSame(LinuxDirectory a, in FileStatus before, LinuxDirectory b, in FileStatus after, string path) =>
        before.Type == after.Type && !IsChanged(a, before, b, after, path, xattrs: true);

    /// <summary>Does to <paramref name="newEtc"/> what <paramref name="diff"/> says was done to ours.</summary>
    /// <exception cref="SysrootException">A file of ours stands where the new tree has a directory.</exception>
    public static void Apply(EtcDiff diff, LinuxDirectory ourEtc, LinuxDirectory newEtc, bool copyXattrs = true)
    {
        foreach (string path in diff.Removed)
        {
            // It may be gone there, too, or be below what is a file now, or a link: what that leads to is not of this /etc.
            if (ObstacleAbove(newEtc, path) is null && newEtc.TryStatus(path) is not null)
            {
                Changes.RemoveTree(newEtc, path);
            }
        }
        foreach (string path in diff.Modified)
        {
            CarryOver(ourEtc, newEtc, path, copyXattrs, isAdded: false);
        }
        foreach (string path in diff.Added)
        {
            CarryOver(ourEtc, newEtc, path, copyXattrs, isAdded: true);
        }
    }

    private static void Compare(LinuxDirectory a, LinuxDirectory b, string prefix, bool xattrs, EtcDiff diff)
    {
        var seen = new HashSet<string>();
        foreach (DirectoryEntry entry in Sorted(a))
        {
            seen.Add(entry.Name);
            string path = prefix + entry.Name;
            FileStatus before = a.Status(entry.Name);
            if (b.TryStatus(entry.Name) is not { } after)
            {
                diff.RemovedPaths.Add(path);
                continue;
            }
            if (before.Type != after.Type)
            {
                diff.ModifiedPaths.Add(path);
                if (IsLeftBehind(after.Type, isAdded: false))
                {
                    diff.UnsupportedPaths.Add(path);
                }
                continue;
            }
            if (IsChanged(a, before, b, after, entry.Name, xattrs))
            {
                diff.ModifiedPaths.Add(path);
            }
            if (before.IsDirectory)
            {
                using LinuxDirectory childA = a.OpenDirectory(entry.Name);
                using LinuxDirectory childB = b.OpenDirectory(entry.Name);
                Compare(childA, childB, path + "/", xattrs, diff);
            }
        }
        foreach (DirectoryEntry entry in Sorted(b))
        {
            if (!seen.Contains(entry.Name))
            {
                AddAll(b, entry.Name, prefix + entry.Name, diff);
            }
        }
    }

    private static void AddAll(LinuxDirectory parent, string name, string path, EtcDiff diff)
    {
        diff.AddedPaths.Add(path);
        FileStatus status = parent.Status(name);
        if (IsLeftBehind(status.Type, isAdded: true))
        {
            diff.UnsupportedPaths.Add(path);
        }
        if (status.IsDirectory)
        {
            using LinuxDirectory directory = parent.OpenDirectory(name);
            foreach (DirectoryEntry entry in Sorted(directory))
            {
                AddAll(directory, entry.Name, $"{path}/{entry.Name}", diff);
            }
        }
    }

    /// <summary>
    /// Sockets, FIFOs and device nodes belong to what runs, and stay. A FIFO or a device node in the place of a default, though, says something of that default, as a file
    /// would: without it the machine would be configured otherwise than its owner left it.
    /// </summary>
    private static bool IsLeftBehind(FileType type, bool isAdded) =>
        type != FileType.Directory && !TreeCopy.CanCopy(type) && (isAdded || !TreeCopy.IsNode(type));

    private static IEnumerable<DirectoryEntry> Sorted(LinuxDirectory directory) =>
        directory.ReadEntries().OrderBy(e => e.Name, StringComparer.Ordinal);

    private static bool IsChanged(LinuxDirectory a, in FileStatus before, LinuxDirectory b, in FileStatus after, string name, bool xattrs)
    {
        if (before.Uid != after.Uid || before.Gid != after.Gid)
        {
            return true;
        }
        if (before.IsSymbolicLink)
        {
            return a.ReadLink(name) != b.ReadLink(name);
        }
        return before.Permissions != after.Permissions
            || (before.IsRegularFile && !HasSameContent(a, b, before, after, name))
            || (xattrs && !HasSameXattrs(a, b, name));
    }

    private static bool HasSameContent(LinuxDirectory a, LinuxDirectory b, in FileStatus before, in FileStatus after, string name)
    {
        if (before.Size != after.Size)
        {
            return false;
        }
        using SafeFileHandle fileA = a.OpenFile(name);
        using SafeFileHandle fileB = b.OpenFile(name);
        byte[] bufferA = new byte[Math.Min(ComparisonBuffer, before.Size + 1)];
        byte[] bufferB = new byte[bufferA.Length];
        for (long offset = 0; ;)
        {
            int readA = ReadFully(fileA, bufferA, offset);
            int readB = ReadFully(fileB, bufferB, offset);
            if (!bufferA.AsSpan(0, readA).SequenceEqual(bufferB.AsSpan(0, readB)))
            {
                return false;
            }
            if (readA < bufferA.Length)
            {
                return true;
            }
            offset += readA;
        }
    }

    private static int ReadFully(SafeFileHandle file, byte[] buffer, long offset)
    {
        int total = 0;
        int read;
        while (total < buffer.Length && (read = RandomAccess.Read(file, buffer.AsSpan(total), offset + total)) > 0)
        {
            total += read;
        }
        return total;
    }

    private static bool HasSameXattrs(LinuxDirectory a, LinuxDirectory b, string name)
    {
        List<Xattr> before = WithoutLabels(Xattrs.ReadAll(a, name));
        List<Xattr> after = WithoutLabels(Xattrs.ReadAll(b, name));
        if (before.Count != after.Count)
        {
            return false;
        }
        for (int i = 0; i < before.Count; i++)
        {
            if (!before[i].Name.AsSpan().SequenceEqual(after[i].Name) || !before[i].Value.AsSpan().SequenceEqual(after[i].Value))
            {
                return false;
            }
        }
        return true;
    }

    private static List<Xattr> WithoutLabels(List<Xattr> xattrs)
    {
        xattrs.RemoveAll(x => x.Name.AsSpan().SequenceEqual("security.selinux"u8));
        xattrs.Sort((x, y) => x.Name.AsSpan().SequenceCompareTo(y.Name));
        return xattrs;
    }

    private static void CarryOver(LinuxDirectory ourEtc, LinuxDirectory newEtc, string path, bool copyXattrs, bool isAdded)
    {
        FileStatus ours = ourEtc.Status(path);
        int slash = path.LastIndexOf('/');
        if (slash >= 0)
        {
            TakeDirectory(ourEtc, newEtc, path[..slash], copyXattrs);
        }

        if (newEtc.TryStatus(path) is { } theirs)
        {
            if (theirs.IsDirectory)
            {
                if (!ours.IsDirectory)
                {
                    throw new SysrootException($"Modified config file newly defaults to directory '{path}', cannot merge");
                }
                // What is in it is listed on its own; the directory's owner and mode are ours to keep.
                TakeDirectory(ourEtc, newEtc, path, copyXattrs);
                return;
            }
            if (isAdded && IsLeftBehind(ours.Type, isAdded))
            {
                // What is not carried over must not keep a new default away.
                return;
            }
            Changes.TryUnlink(newEtc, path);
        }
        if (ours.IsDirectory)
        {
            TreeCopy.CopyDirectory(ourEtc, path, newEtc, path, copyXattrs);
        }
        else if (TreeCopy.CanCopy(ours.Type))
        {
            TreeCopy.CopyFile(ourEtc, path, newEtc, path, copyXattrs);
        }
        else if (!IsLeftBehind(ours.Type, isAdded))
        {
            TreeCopy.CopyNode(ourEtc, path, newEtc, path, copyXattrs);
        }
    }

    /// <summary>The topmost of the names above a path that is there and is no directory: the kernel would follow it if it is a link. Null if there is none.</summary>
    internal static string? ObstacleAbove(LinuxDirectory etc, string path)
    {
        for (int slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (etc.TryStatus(path[..slash]) is { IsDirectory: false })
            {
                return path[..slash];
            }
        }
        return null;
    }

    /// <summary>Makes the directory and those above it where they are missing, with the owner, mode and attributes that ours have.</summary>
    private static void TakeDirectory(LinuxDirectory ourEtc, LinuxDirectory newEtc, string path, bool copyXattrs)
    {
        FileStatus? there = newEtc.TryStatus(path);
        if ((there is { IsDirectory: false } ? path : ObstacleAbove(newEtc, path)) is { } obstacle)
        {
            throw new SysrootException($"Modified config file's directory newly defaults to a file '{obstacle}', cannot merge");
        }
        if (there is null)
        {
            int slash = path.LastIndexOf('/');
            if (slash >= 0)
            {
                TakeDirectory(ourEtc, newEtc, path[..slash], copyXattrs);
            }
            FaultPoint.Before($"mkdir {path}");
            newEtc.MakeDirectory(path, 0x1C0 /* 0700 until its owner is set */);
        }
        TreeCopy.CopyDirectoryAttributes(ourEtc, path, newEtc, path, copyXattrs);
    }
}
