using OciOstree.Formats.GVariant;
using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Imports a layer of ostree objects: the ostree layer, or a chunk. Objects are named by checksum and each is verified as it is written;
/// the hard links that show the tree to a container runtime are passed over.
/// </summary>
internal sealed class ObjectLayerReader
{
    private const int MaxXattrs = 1 << 20;

    // Distinct sets of xattrs of a whole system are few; a layer that brings more than this is out for memory.
    private const int MaxAllXattrs = 64 << 20;

    private readonly RepoTransaction transaction;
    private readonly ObjectWriters.Batch writers;
    private readonly bool isChunk;
    // A chunk's alone: the files of a commit are found by its trees.
    private readonly HashSet<Checksum> files = [];
    private readonly Dictionary<Checksum, XattrSet> xattrs = [];
    private int xattrBytes;
    private HoleBudget holes;
    private (Checksum File, XattrSet Xattrs)? next;
    private Checksum? commit;

    private ObjectLayerReader(RepoTransaction transaction, ObjectWriters.Batch writers, bool isChunk) =>
        (this.transaction, this.writers, this.isChunk) = (transaction, writers, isChunk);

    /// <summary>Reads the layer of the commit and all its metadata; returns the commit.</summary>
    internal static Checksum ReadCommitLayer(TarReader tar, RepoTransaction transaction, ObjectWriters.Batch writers)
    {
        var reader = new ObjectLayerReader(transaction, writers, isChunk: false);
        reader.Read(tar);
        return reader.commit ?? throw new ContainerException("the layer has no commit object");
    }

    /// <summary>Reads a chunk; returns a commit whose files are the objects, named by their checksums, which keeps them.</summary>
    internal static Checksum ReadChunk(TarReader tar, RepoTransaction transaction, ObjectWriters.Batch writers)
    {
        var reader = new ObjectLayerReader(transaction, writers, isChunk: true);
        reader.Read(tar);
        var meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed /* drwxr-xr-x */, XattrSet.Empty));
        var tree = new DirTreeBuilder();
        foreach (var file in reader.files)
        {
            tree.AddFile(file.ToString(), file);
        }

        return transaction.WriteCommit(new Commit { RootTree = transaction.WriteDirTree(tree), RootMeta = meta });
    }

    private void Read(TarReader tar)
    {
        while (tar.Next() is { } entry)
        {
            holes.Add(entry, tar);
            if (entry.Type == TarEntryType.Directory)
            {
                continue;
            }

            var found = ObjectEntry.Parse(LayerPath.Split(entry.Name));
            if (found.Kind != ObjectEntry.EntryKind.None)
            {
                ReadObject(entry, tar.Content, found);
            }
        }

        if (next is { } dangling)
        {
            throw new ContainerException($"xattrs are given for object {dangling.File}, which does not follow");
        }

        writers.Finish();
    }

    private void ReadObject(TarEntry entry, Stream content, ObjectEntry found)
    {
        switch (found.Kind)
        {
            case ObjectEntry.EntryKind.Xattrs:
                KeepXattrs(ReadXattrs(entry, content, found.Checksum), found.Checksum);
                break;
            case ObjectEntry.EntryKind.XattrsLink:
                ReadXattrsLink(entry, content, found.Checksum);
                break;
            case ObjectEntry.EntryKind.File:
                ReadFile(entry, content, found.Checksum);
                break;
            default:
                ReadMetadata(entry, content, found);
                break;
        }
    }

    private void ReadMetadata(TarEntry entry, Stream content, ObjectEntry found)
    {
        if (isChunk)
        {
            throw new ContainerException($"a layer of content objects has the metadata object {entry}");
        }

        var bytes = ReadSmall(entry, content, Repo.MaxMetadataSize);
        switch (found.Kind)
        {
            case ObjectEntry.EntryKind.Commit:
                if (commit is not null)
                {
                    throw new ContainerException("the layer has several commit objects");
                }

                Commit.Parse(bytes);
                transaction.WriteMetadata(ObjectType.Commit, bytes, found.Checksum);
                commit = found.Checksum;
                break;
            case ObjectEntry.EntryKind.CommitMeta:
                if (commit != found.Checksum)
                {
                    throw new ContainerException($"detached metadata of {found.Checksum} does not follow its commit");
                }

                var metadata = Variant.FromBytes("a{sv}", bytes);
                transaction.WriteCommitMeta(found.Checksum, metadata.IsNormalForm() ? metadata : throw new ContainerException("detached metadata is not in normal form"));
                break;
            case ObjectEntry.EntryKind.DirTree:
                // Names that lead elsewhere are refused before they are stored, not when they are checked out.
                DirTree.Parse(bytes);
                transaction.WriteMetadata(ObjectType.DirTree, bytes, found.Checksum);
                break;
            default:
                DirMeta.Parse(bytes);
                transaction.WriteMetadata(ObjectType.DirMeta, bytes, found.Checksum);
                break;
        }
    }

    private void ReadFile(TarEntry entry, Stream content, Checksum checksum)
    {
        if (next is not { } given || given.File != checksum)
        {
            throw new ContainerException($"object {checksum} is not preceded by its xattrs");
        }

        next = null;
        if (isChunk)
        {
            files.Add(checksum);
        }

        var (uid, gid) = TarOwner.Of(entry);
        switch (entry.Type)
        {
            case TarEntryType.File:
                writers.Write(FileHeader.Regular(uid, gid, entry.Mode, given.Xattrs), entry.Size, content, checksum, null);
                break;
            case TarEntryType.SymbolicLink:
                writers.Write(FileHeader.Symlink(uid, gid, TarOwner.Target(entry), given.Xattrs), 0, content, checksum, null);
                break;
            default:
                throw new ContainerException($"object {checksum} is neither a file nor a symbolic link");
        }
    }

    private void ReadXattrsLink(TarEntry entry, Stream content, Checksum file)
    {
        if (next is { } dangling)
        {
            throw new ContainerException($"xattrs are given for object {dangling.File}, which does not follow");
        }

        if (entry.Type != TarEntryType.HardLink)
        {
            next = (file, ReadXattrs(entry, content, expected: null));
            return;
        }

        var target = LayerPath.Split(entry.LinkName);
        // Version 0 links to xattrs/CHECKSUM, version 1 to the .file-xattrs object.
        var named = target is [.., "xattrs", var hex] && Checksum.TryParse(hex, out var checksum)
            ? checksum
            : ObjectEntry.Parse(target) is { Kind: ObjectEntry.EntryKind.Xattrs } link ? link.Checksum
            : throw new ContainerException($"the xattrs of object {file} are a link to '{string.Join('/', target)}'");
        next = xattrs.TryGetValue(named, out var set)
            ? (file, set)
            : throw new ContainerException($"the xattrs {named} of object {file} are missing");
    }

    private void KeepXattrs(XattrSet set, Checksum checksum)
    {
        if (xattrs.TryAdd(checksum, set) && (xattrBytes += set.Serialized.Length) > MaxAllXattrs)
        {
            throw new ContainerException($"the layer has more than {MaxAllXattrs >> 20} MiB of xattrs");
        }
    }

    private static XattrSet ReadXattrs(TarEntry entry, Stream content, Checksum? expected)
    {
        var bytes = ReadSmall(entry, content, MaxXattrs);
        if (expected is { } checksum && Checksum.Compute(bytes) != checksum)
        {
            throw new ContainerException($"{entry} does not have the checksum that it is named by");
        }

        return XattrSet.Parse(bytes);
    }

    private static byte[] ReadSmall(TarEntry entry, Stream content, int limit)
    {
        if (entry.Type != TarEntryType.File || entry.Size > limit)
        {
            throw new ContainerException(entry.Type != TarEntryType.File ? $"{entry} is not a regular file" : $"{entry} of {entry.Size} bytes exceeds the limit of {limit}");
        }

        // What a header claims is allocated only as it arrives.
        using var bytes = new MemoryStream((int)Math.Min(entry.Size, 1 << 20));
        content.CopyTo(bytes);
        return bytes.Length == entry.Size ? bytes.ToArray() : throw new ContainerException($"{entry} ends early");
    }
}
