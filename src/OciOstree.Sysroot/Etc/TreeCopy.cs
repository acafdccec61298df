using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>Copies files and directories with owner, mode, times and extended attributes, sharing blocks where the file system can.</summary>
internal static class TreeCopy
{
    public static bool CanCopy(FileType type) => type is FileType.RegularFile or FileType.SymbolicLink;

    /// <summary>FIFOs and devices, which are nothing but their node.</summary>
    public static bool IsNode(FileType type) => type is FileType.Fifo or FileType.CharacterDevice or FileType.BlockDevice;

    /// <summary>Makes the same FIFO or device under a name that does not exist.</summary>
    public static void CopyNode(LinuxDirectory from, string name, LinuxDirectory to, string newName, bool xattrs)
    {
        FileStatus status = from.Status(name);
        FaultPoint.Before($"node {newName}");
        to.MakeNode(newName, status.Mode, status.RawDeviceMajor, status.RawDeviceMinor);
        to.SetOwner(newName, status.Uid, status.Gid);
        to.SetMode(newName, status.Permissions);
        if (xattrs)
        {
            CopyXattrs(from, name, to, newName);
        }
    }

    /// <summary>Copies a regular file or a symbolic link (not what it points to) to a name that does not exist.</summary>
    public static void CopyFile(LinuxDirectory from, string name, LinuxDirectory to, string newName, bool xattrs)
    {
        FileStatus status = from.Status(name);
        FaultPoint.Before($"copy {newName}");
        if (status.IsSymbolicLink)
        {
            to.MakeSymbolicLink(from.ReadLink(name), newName);
            to.SetOwner(newName, status.Uid, status.Gid);
            if (xattrs)
            {
                CopyXattrs(from, name, to, newName);
            }
            return;
        }

        int slash = newName.LastIndexOf('/');
        using LinuxDirectory parent = slash < 0 ? to.Duplicate() : to.OpenDirectory(newName[..slash]);
        using SafeFileHandle source = from.OpenFile(name);
        // Of what is open: editors put another file in its place.
        status = Files.Status(source, name);
        using TemporaryFile copy = parent.CreateTemporaryFile();
        if (!Files.TryClone(source, copy.Handle))
        {
            Files.CopyAll(source, copy.Handle, status.Size);
        }
        Files.SetOwner(copy.Handle, status.Uid, status.Gid);
        Files.SetMode(copy.Handle, status.Permissions);
        if (xattrs)
        {
            CopyXattrs(source, copy.Handle);
        }
        Files.SetModified(copy.Handle, status.ModifiedSeconds, status.ModifiedNanoseconds);
        copy.LinkAs(parent, newName[(slash + 1)..]);
    }

    /// <summary>Copies a directory and what is in it. Sockets, FIFOs and devices are left out: <see cref="CanCopy"/> says which.</summary>
    public static void CopyDirectory(LinuxDirectory from, string name, LinuxDirectory to, string newName, bool xattrs)
    {
        FaultPoint.Before($"mkdir {newName}");
        to.TryMakeDirectory(newName, 0x1C0 /* 0700 until its owner is set */);
        CopyDirectoryAttributes(from, name, to, newName, xattrs);
        using LinuxDirectory source = from.OpenDirectory(name);
        using LinuxDirectory target = to.OpenDirectory(newName);
        foreach (DirectoryEntry entry in source.ReadEntries())
        {
            FileType type = source.Status(entry.Name).Type;
            if (type == FileType.Directory)
            {
                CopyDirectory(source, entry.Name, target, entry.Name, xattrs);
            }
            else if (CanCopy(type))
            {
                target.TryUnlink(entry.Name);
                CopyFile(source, entry.Name, target, entry.Name, xattrs);
            }
        }
    }

    public static void CopyDirectoryAttributes(LinuxDirectory from, string name, LinuxDirectory to, string newName, bool xattrs)
    {
        FaultPoint.Before($"attributes {newName}");
        using LinuxDirectory source = from.OpenDirectory(name);
        using LinuxDirectory target = to.OpenDirectory(newName);
        if (xattrs)
        {
            CopyXattrs(source.Handle, target.Handle);
        }
        FileStatus status = source.Status();
        Files.SetOwner(target.Handle, status.Uid, status.Gid);
        Files.SetMode(target.Handle, status.Permissions);
    }

    private static void CopyXattrs(LinuxDirectory from, string name, LinuxDirectory to, string newName)
    {
        foreach (Xattr xattr in Xattrs.ReadAll(from, name))
        {
            Xattrs.Set(to, newName, xattr.Name, xattr.Value);
        }
    }

    private static void CopyXattrs(SafeFileHandle from, SafeFileHandle to)
    {
        foreach (Xattr xattr in Xattrs.ReadAll(from))
        {
            Xattrs.Set(to, xattr.Name, xattr.Value);
        }
    }
}
