using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Which object a file, a symbolic link or a directory's own metadata on disk would be.</summary>
public static class FileChecksum
{
    /// <param name="directory">Where it is.</param>
    /// <param name="name">A regular file or a symbolic link.</param>
    /// <param name="ignoreXattrs">As if it had no xattrs.</param>
    /// <param name="canonical">As a bare-user-only repository would have it: owner 0:0 and a mode within 0755.</param>
    /// <param name="uid">Another owner than it has.</param>
    /// <param name="gid">Another group than it has.</param>
    /// <exception cref="RepositoryException">It is something that no commit can hold.</exception>
    public static Checksum Of(LinuxDirectory directory, string name, bool ignoreXattrs = false, bool canonical = false, uint? uid = null, uint? gid = null)
    {
        FileStatus status = directory.Status(name);
        switch (status.Type)
        {
            case FileType.SymbolicLink:
                FileHeader link = Header(status, directory.ReadLink(name), ignoreXattrs ? [] : Xattrs.ReadAll(directory, name), canonical, uid, gid);
                return Checksum.Compute(link.SerializeForChecksum());
            case FileType.RegularFile:
                using (SafeFileHandle file = directory.OpenFile(name))
                    return FileDigest.Of(file, Header(status, "", ignoreXattrs ? [] : Xattrs.ReadAll(file, name), canonical, uid, gid).SerializeForChecksum());
            case FileType.Directory:
                FileHeader meta = Header(status, "", ignoreXattrs ? [] : Xattrs.ReadAll(directory, name), canonical, uid, gid);
                return Checksum.Compute(new DirMeta(meta.Uid, meta.Gid, meta.Mode, meta.Xattrs).Serialize());
            default:
                throw new RepositoryException($"Not a regular file or symlink: {name}");
        }
    }

    private static FileHeader Header(in FileStatus status, string target, List<Xattr> xattrs, bool canonical, uint? uid, uint? gid)
    {
        var attributes = new FileAttributes(uid ?? status.Uid, gid ?? status.Gid, status.Mode);
        if (canonical)
            attributes = attributes.Canonical();
        return new FileHeader(attributes.Uid, attributes.Gid, attributes.Mode, target, XattrSet.From(xattrs.Where(static xattr => xattr.Value.Length > 0)));
    }
}
