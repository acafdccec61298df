using System.Collections.Concurrent;
using System.Security.Cryptography;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    private readonly ConcurrentDictionary<Checksum, bool> partialMarks = new();

    // Objects to unlink once the new ones are in place: tombstones of commits that came back, detached metadata that was taken away.
    private readonly ConcurrentDictionary<ObjectName, bool> superseded = new();

    /// <summary>Stores a commit, dirtree or dirmeta given as its bytes, after checking that they are one.</summary>
    /// <param name="expected">What the checksum must be; a mismatch writes nothing.</param>
    public Checksum WriteMetadata(ObjectType type, ReadOnlySpan<byte> bytes, Checksum? expected = null)
    {
        Checksum checksum = Checksum.Compute(bytes);
        if (expected is { } wanted && wanted != checksum)
            throw ContentStream.Corrupted(new ObjectName(wanted, type), checksum);
        if (!type.IsMetadata())
            throw new RepositoryException($"No {type.Word()} object can be written by its bytes");
        try
        {
            Validate(new ObjectName(checksum, type), bytes);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException(new ObjectName(checksum, type).ToString(), e);
        }
        return Store(new ObjectName(checksum, type), bytes);
    }

    /// <summary>Counts a write of metadata that the caller knows to have been written already.</summary>
    internal void CountRepeatedMetadata() => Interlocked.Increment(ref metadataTotal);

    /// <summary>Counts a write of content that the caller knows to have been written already.</summary>
    internal void CountRepeatedContent() => Interlocked.Increment(ref contentTotal);

    public Checksum WriteDirTree(DirTree tree) => StoreOwn(ObjectType.DirTree, tree.Serialize());

    /// <summary>Stores a directory without having its bytes in memory a second time.</summary>
    /// <exception cref="RepositoryException">Two entries have one name, or it is larger than an object may be.</exception>
    public Checksum WriteDirTree(DirTreeBuilder tree)
    {
        long size = tree.Finish();
        if (size > Repo.MaxMetadataSize)
            throw new RepositoryException($"A directory's object would have {size} bytes, more than the maximum of {Repo.MaxMetadataSize}");
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        tree.Serialize(static (part, hash) => hash.AppendData(part), hash);
        return Store(new ObjectName(Finish(hash, null, null), ObjectType.DirTree), default, tree);
    }

    public Checksum WriteDirMeta(DirMeta meta) => StoreOwn(ObjectType.DirMeta, meta.Serialize());

    public Checksum WriteCommit(Commit commit) => StoreOwn(ObjectType.Commit, commit.Serialize());

    private Checksum StoreOwn(ObjectType type, byte[] bytes) => Store(new ObjectName(Checksum.Compute(bytes), type), bytes);

    /// <param name="tree">What gives the bytes piece by piece; null if they are all here.</param>
    private Checksum Store(ObjectName name, ReadOnlySpan<byte> bytes, DirTreeBuilder? tree = null)
    {
        Interlocked.Increment(ref metadataTotal);
        if (name.Type == ObjectType.Commit)
            superseded[new ObjectName(name.Checksum, ObjectType.TombstoneCommit)] = true;
        try
        {
            if (!Repo.HasOwnObject(name) && Publish(name, bytes, tree))
                Interlocked.Increment(ref metadataWritten);
        }
        catch (IOException e)
        {
            throw Failed($"Writing object {name}", e);
        }
        return name.Checksum;
    }

    /// <summary>False if another thread was first.</summary>
    private bool Publish(ObjectName name, ReadOnlySpan<byte> bytes, DirTreeBuilder? tree = null)
    {
        using TemporaryFile file = CreateStagedFile();
        if (tree is null)
            Files.Write(file.Handle, bytes);
        else
            tree.Serialize(static (part, handle) => Files.Write(handle, part), file.Handle);
        Files.SetMode(file.Handle, 0x1A4);
        if (Repo.Settings is { PerObjectFsync: true, Fsync: true })
            Files.Sync(file.Handle);
        Repo.Protect(file);
        LinuxDirectory stage = StageFor(name);
        string path = LoosePath.Of(name, Repo.Mode);
        if (name.Type is not (ObjectType.CommitMeta or ObjectType.TombstoneCommit))
            return file.TryLinkAs(stage, path);
        file.ReplaceAs(stage, path);
        return true;
    }

    /// <summary>Replaces a commit's detached metadata, an <c>a{sv}</c>; null removes it.</summary>
    public void WriteCommitMeta(Checksum commit, Variant? metadata)
    {
        ObjectName name = new(commit, ObjectType.CommitMeta);
        try
        {
            if (metadata is null)
            {
                superseded[name] = true;
                if (staging is { } written)
                    written.Last.TryUnlink(LoosePath.Of(name, Repo.Mode));
                return;
            }
            superseded.TryRemove(name, out _);
            Publish(name, metadata.Data.Span);
        }
        catch (IOException e)
        {
            throw Failed($"Writing object {name}", e);
        }
    }

    /// <summary>
    /// Marks a commit as having only some of its objects here, or as whole. The mark appears before the transaction's objects do and goes after them.
    /// </summary>
    public void MarkPartial(Checksum commit, bool partial) => partialMarks[commit] = partial;

    private void WritePartialMarks()
    {
        foreach ((Checksum commit, bool partial) in partialMarks)
        {
            if (!partial)
                continue;
            Repo.Root.TryMakeDirectory("state", Repo.DirectoryMode);
            string path = Repo.PartialMarkPath(commit);
            if (!Repo.Root.Exists(path))
                Repo.Root.ReplaceFile(path, default, 0x1A4, sync: Repo.Settings.Fsync);
        }
    }

    private void RemovePartialMarks()
    {
        foreach ((Checksum commit, bool partial) in partialMarks)
            if (!partial)
                Repo.Root.TryUnlink(Repo.PartialMarkPath(commit));
    }

    private void RemoveSuperseded()
    {
        foreach (ObjectName name in superseded.Keys)
            Repo.Objects.TryUnlink(LoosePath.Of(name, Repo.Mode));
    }

    // A full disk is the one failure after which keeping what was staged makes things worse.
    private RepositoryException Failed(string doing, IOException e)
    {
        if (e is LinuxException { Errno: Errno.ENOSPC or Errno.EDQUOT })
            discardStaging = true;
        // The first that who is not root comes upon.
        if (e is LinuxException { Errno: Errno.EPERM } && Repo.Mode == RepoMode.Bare)
            doing += " (a bare repository keeps owners and attributes as they are, which needs root; bare-user and archive do not)";
        return new RepositoryException(doing, e);
    }
}
