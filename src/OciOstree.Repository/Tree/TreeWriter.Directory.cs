using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class TreeWriter
{
    private const int BatchSize = 16, QueuedBatches = 64;

    // Files with several names are read once, unless their paths lead to different headers.
    private readonly ConcurrentDictionary<(ulong Device, ulong Inode, FileHeader Header), Checksum> hardLinks = new();

    // The tree is one data structure with parents that know their children's changes: it is changed under a lock, never during I/O.
    private readonly Lock treeGate = new();

    /// <summary>Lays a directory over the tree.</summary>
    /// <exception cref="RepositoryException">Something in it is neither a directory, a regular file nor a symbolic link, or has a name that is not UTF-8.</exception>
    /// <exception cref="LinuxException">Something could not be read, or removed where the modifier says <see cref="CommitModifier.Consume"/>.</exception>
    public void AddDirectory(LinuxDirectory directory)
    {
        if (Modify("/", FileAttributes.Of(directory.Status())) is not { } attributes)
            return;
        var emptied = new List<string>();
        using (var queue = new WorkQueue<FileBatch>("commit", QueuedBatches, CommitBatch, static batch => batch.Directory.Release()))
        {
            Walk(new SharedDirectory(directory, owned: false), root, "/", attributes, queue, emptied);
            queue.Finish();
        }
        // The deepest came last. Their files are gone by now, and only now.
        for (int i = emptied.Count - 1; i >= 0; i--)
            directory.RemoveDirectory(emptied[i]);
    }

    // A directory's path ends in a slash here.
    private void Walk(SharedDirectory directory, MutableTree tree, string path, FileAttributes attributes, WorkQueue<FileBatch> queue, List<string> emptied)
    {
        cancellation.ThrowIfCancellationRequested();
        // Read now, so that no thread reads it under the lock later.
        _ = tree.IsEmpty;
        string name = path.Length == 1 ? path : path[..^1];
        XattrSet xattrs = Modify(name, attributes.Mode, skipXattrs ? XattrSet.Empty : WithoutEmpty(Xattrs.ReadAll(directory.Open.Handle, directory.Open.Path)));
        Checksum meta = WriteDirMeta(attributes, xattrs);
        lock (treeGate)
            tree.Metadata = meta;

        var files = new List<DirectoryEntry>(BatchSize);
        var subdirectories = new List<string>();
        foreach (DirectoryEntry entry in directory.Open.ReadEntries())
        {
            FileType type = entry.Type == FileType.Unknown ? directory.Open.Status(entry.Name).Type : entry.Type;
            switch (type)
            {
                case FileType.Directory:
                    subdirectories.Add(entry.Name);
                    break;
                case FileType.RegularFile or FileType.SymbolicLink:
                    files.Add(entry with { Type = type });
                    break;
                default:
                    throw new RepositoryException($"Not a regular file or symlink: {path}{entry.Name}");
            }
            if (files.Count == BatchSize)
            {
                Enqueue(directory, tree, path, files, queue);
                files = new List<DirectoryEntry>(BatchSize);
            }
        }
        if (files.Count > 0)
            Enqueue(directory, tree, path, files, queue);

        foreach (string subdirectory in subdirectories)
            WalkSubdirectory(directory, subdirectory, tree, path, queue, emptied);
    }

    private void WalkSubdirectory(SharedDirectory parent, string name, MutableTree tree, string path, WorkQueue<FileBatch> queue, List<string> emptied)
    {
        RequireUtf8(name);
        var directory = new SharedDirectory(parent.Open.OpenDirectory(name), owned: true);
        try
        {
            if (Modify(path + name, FileAttributes.Of(directory.Open.Status())) is not { } attributes)
            {
                if (modifier is { Consume: true })
                    parent.Open.RemoveTree(name);
                return;
            }
            MutableTree child;
            lock (treeGate)
                child = tree.GetOrAddDirectory(name);
            if (modifier is { Consume: true })
                emptied.Add(path[1..] + name);
            Walk(directory, child, path + name + "/", attributes, queue, emptied);
        }
        finally
        {
            directory.Release();
        }
    }

    private static void Enqueue(SharedDirectory directory, MutableTree tree, string path, List<DirectoryEntry> files, WorkQueue<FileBatch> queue)
    {
        directory.Retain();
        queue.Add(new FileBatch(directory, tree, path, files));
    }

    private void CommitBatch(FileBatch batch)
    {
        try
        {
            LinuxDirectory directory = batch.Directory.Open;
            foreach (DirectoryEntry entry in batch.Files)
            {
                cancellation.ThrowIfCancellationRequested();
                RequireUtf8(entry.Name);
                Checksum? checksum = entry.Type == FileType.SymbolicLink
                    ? CommitLink(directory, entry.Name, batch.Path + entry.Name)
                    : CommitFile(directory, entry.Name, batch.Path + entry.Name);
                if (checksum is { } stored)
                {
                    lock (treeGate)
                        batch.Tree.SetFile(entry.Name, stored);
                }
                if (modifier is { Consume: true })
                    directory.TryUnlink(entry.Name);
            }
        }
        finally
        {
            batch.Directory.Release();
        }
    }

    private Checksum? CommitLink(LinuxDirectory directory, string name, string path)
    {
        FileStatus status = directory.Status(name);
        if (FindObject(status, out Checksum known) is { } stored)
            return CommitObject(known, stored, path);
        if (Modify(path, FileAttributes.Of(status)) is not { } attributes)
            return null;
        string target = directory.ReadLink(name);
        if (!FileName.IsUtf8(target))
            throw new RepositoryException($"Invalid UTF-8 in target of symlink '{path}'");
        XattrSet xattrs = skipXattrs ? XattrSet.Empty : WithoutEmpty(Xattrs.ReadAll(directory, name));
        return transaction.WriteSymlink(new FileHeader(attributes.Uid, attributes.Gid, attributes.Mode, target, Modify(path, attributes.Mode, xattrs)));
    }

    private Checksum? CommitFile(LinuxDirectory directory, string name, string path)
    {
        // Without a cache the file must be opened anyway, and its status is cheapest from there.
        if (modifier?.DevInoCache != null && FindObject(directory.Status(name), out Checksum known) is { } stored)
            return CommitObject(known, stored, path);
        using SafeFileHandle file = directory.OpenFile(name);
        FileStatus status = Files.Status(file, name);
        if (!status.IsRegularFile)
            throw new RepositoryException($"'{path}' changed its type while it was read");
        if (Modify(path, FileAttributes.Of(status)) is not { } attributes)
            return null;
        XattrSet xattrs = skipXattrs ? XattrSet.Empty : WithoutEmpty(Xattrs.ReadAll(file, name));
        var header = new FileHeader(attributes.Uid, attributes.Gid, attributes.Mode, "", Modify(path, attributes.Mode, xattrs));
        if (modifier is { Consume: true } && transaction.TryAdoptFile(header, file, directory, name, out Checksum adopted))
            return adopted;
        if (status.LinkCount <= 1)
            return transaction.WriteFile(header, file, status.Size);
        var key = (status.Device, status.Inode, header);
        if (!hardLinks.TryGetValue(key, out Checksum first))
            return hardLinks[key] = transaction.WriteFile(header, file, status.Size);
        transaction.CountRepeatedContent();
        return first;
    }

    // The header of the object that the file on disk is, if the cache knows it.
    private FileHeader? FindObject(in FileStatus status, out Checksum checksum)
    {
        checksum = default;
        return modifier?.DevInoCache != null && modifier.DevInoCache.TryGet(status, out checksum)
            // It may be gone since the cache was filled; then the file is read like any other.
            && transaction.Repo.HasObject(new ObjectName(checksum, ObjectType.File))
            ? transaction.Repo.ReadFileHeader(checksum, out _)
            : null;
    }

    // What the object's file on disk says is not looked at: in a bare-user repository that is not what the object is, and in the others it is the same.
    private Checksum? CommitObject(Checksum known, FileHeader stored, string path)
    {
        Checksum? checksum = modifier is { TrustDevInoCache: true } ? known : Recommit(known, stored, path);
        if (checksum == known)
            Interlocked.Increment(ref cacheHits);
        return checksum;
    }

    // Commits an object of the repository under a path, as another one if the path asks for it.
    private Checksum? Recommit(Checksum known, FileHeader stored, string path)
    {
        if (Modify(path, new FileAttributes(stored.Uid, stored.Gid, stored.Mode)) is not { } attributes)
            return null;
        FileHeader header = stored with
        {
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            Mode = attributes.Mode,
            Xattrs = Modify(path, attributes.Mode, skipXattrs ? XattrSet.Empty : stored.Xattrs),
        };
        if (header == stored)
            return known;
        if (header.IsSymlink)
            return transaction.WriteSymlink(header);
        using RepoFile file = transaction.Repo.OpenFile(known);
        return transaction.WriteFile(header, file.Size, file.Content);
    }

    private static void RequireUtf8(string name)
    {
        if (!FileName.IsUtf8(name))
            throw new RepositoryException($"Invalid UTF-8 in filename {name}");
    }

    private sealed record FileBatch(SharedDirectory Directory, MutableTree Tree, string Path, List<DirectoryEntry> Files);
}
