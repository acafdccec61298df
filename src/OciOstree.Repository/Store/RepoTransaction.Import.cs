using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    /// <summary>
    /// Brings an object over from another repository: as a hard link where both keep it alike on one file system, else copied or converted.
    /// A commit brings its detached metadata along.
    /// </summary>
    /// <param name="verify">Check the object before it is linked; what is converted is always checked.</param>
    /// <param name="carry">Told of a file that turns out damaged while it is converted, and which is brought over all the same; null refuses it.</param>
    /// <exception cref="RepositoryException">The object is missing or damaged in the source, or this repository's mode cannot hold it.</exception>
    public void ImportObject(Repo source, ObjectName name, bool verify, Action<CorruptedObjectException>? carry = null)
    {
        if (name.Type == ObjectType.Commit)
            ImportCommitMeta(source, name.Checksum);
        // What is staged already is found when it is linked.
        if (Repo.Objects.Exists(LoosePath.Of(name, Repo.Mode)) || Repo.Parent is { } parent && parent.HasObject(name))
        {
            Count(name, written: false);
            LinkImportedPayload(source, name);
            return;
        }
        try
        {
            // The object may be in one of the source's parents, whose mode may be another.
            for (Repo? holder = source; holder is not null; holder = holder.Parent)
                if (TryLink(holder, name, verify))
                {
                    LinkImportedPayload(holder, name);
                    return;
                }
        }
        catch (IOException e)
        {
            throw Failed($"Importing {name}", e);
        }
        if (name.Type != ObjectType.File)
        {
            WriteMetadata(name.Type, source.ReadMetadata(name).Span, name.Checksum);
            return;
        }
        using RepoFile file = source.OpenFile(name.Checksum, verify: false);
        if (file.Handle is { } handle)
            WriteFile(file.Header, file.Size, new Input(handle), name.Checksum, carry);
        else
            WriteFile(file.Header, file.Size, new Input(file.Content), name.Checksum, carry);
    }

    private void ImportCommitMeta(Repo source, Checksum commit)
    {
        if (source.ReadCommitMeta(commit) is { } detached && !(Repo.ReadCommitMeta(commit) is { } have && have.Data.Span.SequenceEqual(detached.Data.Span)))
            WriteCommitMeta(commit, detached);
    }

    private bool TryLink(Repo source, ObjectName name, bool verify)
    {
        bool toBareUserOnly = source.Mode == RepoMode.BareUser && Repo.Mode == RepoMode.BareUserOnly && name.Type == ObjectType.File;
        if (source.Mode != Repo.Mode && !toBareUserOnly && !name.Type.IsMetadata() || Repo.Mode == RepoMode.BareSplitXattrs && name.Type == ObjectType.File)
            return false;
        // A link shares the inode: both repositories must be its owner's, or the other's owner could change it under us.
        if (source.Device != Repo.Device || source.OwnerUid != Repo.OwnerUid)
            return false;
        if (verify || toBareUserOnly)
        {
            if (!source.HasOwnObject(name))
                return false;
            if (name.Type == ObjectType.File)
            {
                using RepoFile file = source.OpenFile(name.Checksum, verify);
                if (toBareUserOnly && file.Header.IsSymlink)
                    return false; // a regular file there, a link here
                if (Repo.Mode == RepoMode.BareUserOnly)
                    ValidateBareUserOnly(name.Checksum, file.Header);
                if (verify)
                    file.Content.CopyTo(Stream.Null, 128 << 10);
            }
            else
            {
                Validate(name, source.ReadMetadata(name).Span);
            }
        }
        LinuxDirectory stage = StageFor(name);
        bool linked = source.Objects.TryMakeLink(LoosePath.Of(name, source.Mode), stage, LoosePath.Of(name, Repo.Mode), out Errno errno);
        if (linked || errno == Errno.EEXIST)
        {
            if (linked)
                Repo.Protect(stage, LoosePath.Of(name, Repo.Mode));
            Count(name, linked);
            if (name.Type == ObjectType.Commit)
                superseded[new ObjectName(name.Checksum, ObjectType.TombstoneCommit)] = true;
            return true;
        }
        // Not in this one; or too many links, another mount, or a kernel that forbids linking what is not ours: then a copy.
        return errno is Errno.ENOENT or Errno.EMLINK or Errno.EXDEV or Errno.EPERM ? false : throw new LinuxException(errno, "link", LoosePath.Of(name, source.Mode));
    }

    internal static void Validate(ObjectName name, ReadOnlySpan<byte> bytes)
    {
        switch (name.Type)
        {
            case ObjectType.DirTree:
                DirTree.Parse(bytes);
                break;
            case ObjectType.DirMeta:
                DirMeta.Parse(bytes.ToArray());
                break;
            case ObjectType.Commit:
                Repository.Commit.Parse(bytes.ToArray());
                break;
        }
    }

    private void Count(ObjectName name, bool written)
    {
        Interlocked.Increment(ref name.Type == ObjectType.File ? ref contentTotal : ref metadataTotal);
        if (written)
            Interlocked.Increment(ref name.Type == ObjectType.File ? ref contentWritten : ref metadataWritten);
    }
}
