using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

internal sealed partial class CheckoutRun
{
    private const uint OwnerReadable = 0x100, SetIdBits = 0xC00;

    // How the attempt to make a hard link ended.
    private enum LinkResult
    {
        CopyInstead,
        Linked,
        KeptExisting,
    }

    private void CheckOutFile(LinuxDirectory directory, DirTreeFile file, string path, bool existed)
    {
        if (options.PassthroughWhiteouts && file.Name.StartsWith(PassthroughPrefix, StringComparison.Ordinal))
        {
            using RepoFile whiteout = repo.OpenFile(file.Checksum, verify: false);
            if (!whiteout.Header.IsSymlink)
            {
                MakeWhiteoutDevice(directory, file.Name[PassthroughPrefix.Length..], whiteout.Header);
                return;
            }
        }
        if (!options.ForceCopy && TryLink(directory, file) != LinkResult.CopyInstead)
            return;
        Copy(directory, file, path, existed);
    }

    private LinkResult TryLink(LinuxDirectory directory, DirTreeFile file)
    {
        if (cache != null)
            return LinkToCache(cache, directory, file);
        for (Repo? current = repo; current != null; current = current.Parent)
        {
            bool storesForUsers = current.Mode is RepoMode.BareUser or RepoMode.BareUserOnly;
            if (!(storesForUsers ? userMode : current.Mode == RepoMode.Bare && !userMode))
            {
                if (options.RequireHardLinks && !IsSymlinkOf(current, file.Checksum))
                {
                    throw new RepositoryException(storesForUsers
                        ? "User repository mode requires user checkout mode to hardlink"
                        : "Bare repository mode cannot hardlink in user checkout mode");
                }
                continue;
            }
            string loose = LoosePath.Of(file.Checksum, ObjectType.File, current.Mode);
            if (current.Objects.TryStatus(loose) is not { } stored)
                continue;
            return MustCopy(current, stored, loose) ? LinkResult.CopyInstead : Link(current.Objects, loose, stored, directory, file);
        }
        return LinkResult.CopyInstead;
    }

    private LinkResult LinkToCache(UncompressedCache uncompressed, LinuxDirectory directory, DirTreeFile file)
    {
        using RepoFile archived = repo.OpenFile(file.Checksum);
        if (archived.Header.IsSymlink || archived.Size == 0 || (archived.Header.Mode & OwnerReadable) == 0)
            return LinkResult.CopyInstead;
        (LinuxDirectory source, string path, FileStatus status) = uncompressed.Get(file.Checksum, archived);
        return Link(source, path, status, directory, file);
    }

    private static bool IsSymlinkOf(Repo current, Checksum checksum) =>
        current.Mode is RepoMode.BareUser or RepoMode.BareUserOnly && current.ReadFileHeader(checksum, out _).IsSymlink;

    // Empty files would soon have more links than a file can; a file that its owner cannot read is of no use to a user's checkout;
    // and a user's repository has links as regular files, so that they can carry xattrs.
    private static bool MustCopy(Repo current, in FileStatus stored, string loose)
    {
        if (current.Mode == RepoMode.Bare)
            return stored is { IsRegularFile: true, Size: 0 };
        if (stored is not { IsRegularFile: true, Size: > 0 })
            return true;
        if (current.Mode == RepoMode.BareUserOnly)
            return (stored.Mode & OwnerReadable) == 0;
        byte[] value = Xattrs.Get(current.Objects, loose, Repo.BareUserMetadata) ?? throw new RepositoryException($"Corrupted file object {loose}: no user.ostreemeta xattr");
        uint mode = DirMeta.ParseAny(value).Mode;
        return FileStatus.TypeOf(mode) == FileType.SymbolicLink || (mode & OwnerReadable) == 0;
    }

    private LinkResult Link(LinuxDirectory source, string loose, in FileStatus stored, LinuxDirectory directory, DirTreeFile file)
    {
        if (!source.TryMakeLink(loose, directory, file.Name, out Errno errno))
        {
            switch (errno)
            {
                // A file has the most links that its file system can count, or objects are on another one, or may not be linked to.
                case Errno.EMLINK or Errno.EXDEV or Errno.EPERM when !options.RequireHardLinks:
                    return LinkResult.CopyInstead;
                case Errno.EEXIST when options.Overwrite == OverwriteMode.UnionAdd:
                    return LinkResult.KeptExisting;
                case Errno.EEXIST when options.Overwrite is OverwriteMode.Union or OverwriteMode.UnionIdentical:
                    if (IsIdentical(directory, file, stored))
                        return LinkResult.KeptExisting;
                    if (options.Overwrite == OverwriteMode.UnionIdentical)
                        goto default;
                    if (!TryReplaceByLink(source, loose, directory, file.Name))
                        return LinkResult.CopyInstead;
                    break;
                default:
                    throw new LinuxException(errno, $"Hardlinking {loose} to", directory.PathOf(file.Name));
            }
        }
        options.DevInoCache?.Add(stored, file.Checksum);
        return LinkResult.Linked;
    }

    private bool IsIdentical(LinuxDirectory directory, DirTreeFile file, in FileStatus stored)
    {
        FileStatus existing = directory.Status(file.Name);
        if (existing.IsSameFile(stored))
            return true;
        return existing.Type == stored.Type && existing.Mode == stored.Mode && existing.Size == stored.Size
            && existing.Uid == stored.Uid && existing.Gid == stored.Gid && IsObject(directory, file);
    }

    private bool IsObject(LinuxDirectory directory, DirTreeFile file) =>
        FileChecksum.Of(directory, file.Name, ignoreXattrs: repo.Mode == RepoMode.BareUserOnly || repo.Settings.DisableXattrs, canonical: repo.Mode == RepoMode.BareUserOnly) == file.Checksum;

    // link() cannot replace, rename() can. False if it has to be a copy.
    private bool TryReplaceByLink(LinuxDirectory source, string loose, LinuxDirectory directory, string name)
    {
        // In the repository, where strays are found and removed.
        string passing = $"tmp/checkout-union-{Guid.NewGuid():N}";
        try
        {
            source.MakeLink(loose, repo.Root, passing);
            if (options.Whiteouts)
                directory.RemoveTree(name);
            repo.Root.Rename(passing, directory, name);
            return true;
        }
        catch (LinuxException e)
        {
            repo.Root.TryUnlink(passing);
            // That the name exists is said first, and that it is on another file system only now.
            if (e.Errno is Errno.EXDEV or Errno.EMLINK or Errno.EPERM && !options.RequireHardLinks)
                return false;
            throw;
        }
    }

    private void Copy(LinuxDirectory directory, DirTreeFile file, string path, bool existed)
    {
        using RepoFile stored = repo.OpenFile(file.Checksum);
        FileHeader header = stored.Header;
        path += file.Name;
        if (header.IsSymlink)
        {
            CopySymlink(directory, file, header, path, existed);
            return;
        }
        if (!existed)
        {
            // Nobody else can get into a directory that is being made, so its files need not appear at once.
            using SafeFileHandle target = directory.OpenFile(file.Name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
            try
            {
                Fill(target, stored, file.Checksum, path, file.Name);
            }
            catch
            {
                // Least of all may something be left that turned out not to be the object.
                directory.TryUnlink(file.Name);
                throw;
            }
            return;
        }
        if (options.Overwrite == OverwriteMode.UnionAdd && directory.Exists(file.Name))
            return;
        using TemporaryFile temporary = directory.CreateTemporaryFile();
        Fill(temporary.Handle, stored, file.Checksum, path, file.Name);
        switch (options.Overwrite)
        {
            case OverwriteMode.Union when options.Whiteouts:
                directory.RemoveTree(file.Name);
                temporary.LinkAs(directory, file.Name);
                break;
            case OverwriteMode.Union:
                temporary.ReplaceAs(directory, file.Name);
                break;
            case OverwriteMode.UnionAdd:
                temporary.TryLinkAs(directory, file.Name);
                break;
            case OverwriteMode.UnionIdentical when directory.Exists(file.Name) && IsObject(directory, file):
                break;
            default:
                temporary.LinkAs(directory, file.Name);
                break;
        }
    }

    private void Fill(SafeFileHandle target, RepoFile stored, Checksum checksum, string path, string name)
    {
        FileHeader header = stored.Header;
        if (stored.Handle is { } plain)
        {
            // A clone shares the object's blocks as a link does its inode, and neither is read; what is copied is.
            if (!Files.TryClone(plain, target))
            {
                Verify(stored, plain, checksum);
                Files.CopyAll(plain, target, stored.Size, name);
            }
        }
        else
        {
            using Stream output = Files.AsStream(target, leaveOpen: true);
            stored.Content.CopyTo(output, 64 << 10);
        }
        uint permissions = header.Mode & ModeBits.PermissionMask;
        if (userMode)
        {
            permissions = (permissions & ~SetIdBits) | OwnerReadable;
        }
        else
        {
            // Changing the owner takes capabilities and set-id bits away, so it comes first.
            Files.SetOwner(target, header.Uid, header.Gid, name);
            foreach (Xattr xattr in XattrsOf(path, header.Mode, header.Xattrs))
                Xattrs.Set(target, xattr.Name, xattr.Value, name);
        }
        Files.SetMode(target, permissions, name);
        if (options.Fsync)
            Files.Sync(target, name);
    }

    private static void Verify(RepoFile stored, SafeFileHandle plain, Checksum checksum)
    {
        try
        {
            stored.Content.CopyTo(Stream.Null, 128 << 10);
        }
        catch (CorruptedObjectException) when (stored.Header.Xattrs.Label is not null)
        {
            // A system with SELinux labels every file, also objects that came without a label.
            FileHeader unlabelled = stored.Header with { Xattrs = stored.Header.Xattrs.WithLabel(null) };
            using ContentStream content = new(new HandleStream(plain, 0), checksum, unlabelled, stored.Size, verify: true);
            content.CopyTo(Stream.Null, 128 << 10);
        }
    }

    private void CopySymlink(LinuxDirectory directory, DirTreeFile file, FileHeader header, string path, bool existed)
    {
        if (directory.TryReadLink(file.Name) is { } existing)
        {
            if (options.Overwrite == OverwriteMode.UnionAdd || (options.Overwrite == OverwriteMode.UnionIdentical && existing == header.SymlinkTarget))
                return;
        }
        else if (options.Overwrite == OverwriteMode.UnionAdd && directory.Exists(file.Name))
        {
            return;
        }
        bool replaces = options.Overwrite == OverwriteMode.Union && existed && directory.Exists(file.Name);
        if (replaces)
        {
            if (options.Whiteouts)
                directory.RemoveTree(file.Name);
            else
                directory.TryUnlink(file.Name);
        }
        directory.MakeSymbolicLink(header.SymlinkTarget, file.Name);
        // As in ostree, a link that replaces something belongs to whoever checks out; only hard links carry over what the object has.
        if (userMode || replaces)
            return;
        directory.SetOwner(file.Name, header.Uid, header.Gid);
        foreach (Xattr xattr in XattrsOf(path, header.Mode, header.Xattrs))
            Xattrs.Set(directory, file.Name, xattr.Name, xattr.Value);
    }

    private void MakeWhiteoutDevice(LinuxDirectory directory, string name, FileHeader header)
    {
        if (name.Length == 0 || name is "." or "..")
            throw new RepositoryException($"Invalid empty overlayfs whiteout '{PassthroughPrefix}{name}'");
        if (directory.TryStatus(name) is { } existing)
        {
            switch (options.Overwrite)
            {
                case OverwriteMode.UnionAdd:
                    return;
                case OverwriteMode.UnionIdentical:
                    RequireSameWhiteout(directory, name, header, existing);
                    return;
                case OverwriteMode.Union:
                    directory.TryUnlink(name);
                    break;
            }
        }
        uint permissions = header.Mode & ModeBits.PermissionMask;
        directory.MakeNode(name, ModeBits.CharacterDevice | permissions);
        if (userMode)
            return;
        foreach (Xattr xattr in header.Xattrs.Items)
            Xattrs.Set(directory, name, xattr.Name, xattr.Value);
        directory.SetOwner(name, header.Uid, header.Gid);
        directory.SetMode(name, permissions);
    }

    private void RequireSameWhiteout(LinuxDirectory directory, string name, FileHeader header, in FileStatus existing)
    {
        if (!XattrSet.From(Xattrs.ReadAll(directory, name)).Equals(header.Xattrs))
            throw new RepositoryException($"existing destination file {name} xattrs don't match");
        if (userMode)
            return;
        if (existing.Gid != header.Gid)
            throw new RepositoryException($"existing destination file {name} does not match gid {header.Gid}");
        if (existing.Uid != header.Uid)
            throw new RepositoryException($"existing destination file {name} does not match uid {header.Uid}");
        if (existing.Permissions != (header.Mode & ModeBits.PermissionMask))
            throw new RepositoryException($"existing destination file {name} does not match mode {Convert.ToString(header.Mode, 8)}");
    }
}
