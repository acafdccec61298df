using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Notes of layers that were imported by a pull which is not done: an interrupted one is resumed from here, while refs change only when
/// all of an image is there. <c>extensions/oci-ostree/layers/ALGORITHM-HEX-DIFFID</c> is the layer's commit object (of which the
/// diff id was proven with the digest), and <c>….commitmeta</c> that commit's detached metadata. Their objects may still be staged, where commits themselves do not outlive
/// a transaction. Of a layer that was not done, the bytes that had come are in <c>tmp/</c>.
/// </summary>
internal sealed class PendingLayers : IDisposable
{
    private const string Ours = "extensions/oci-ostree";
    private const string Directory = Ours + "/layers";
    private const string Temporary = "tmp";
    private const long MaxSize = 128 << 20;

    private readonly Repo repo;
    private readonly Lazy<PartialBlobs> partial;

    internal PendingLayers(Repo repo)
    {
        this.repo = repo;
        partial = new(OpenPartial);
    }

    /// <summary>The layers that were on their way.</summary>
    internal PartialBlobs Partial => partial.Value;

    internal bool Any => repo.Root.Exists(Directory);

    internal void Add(Digest layer, Digest diffId, Checksum commit)
    {
        var bytes = repo.ReadMetadata(new ObjectName(commit, ObjectType.Commit));
        if (repo.ReadCommitMeta(commit) is { } detached)
        {
            Write(PathOf(layer, diffId) + ".commitmeta", detached.Data.Span);
        }

        // Last, for it is what counts. A file that a power cut left empty is no commit and does no harm.
        Write(PathOf(layer, diffId), bytes.Span);
    }

    private void Write(string path, ReadOnlySpan<byte> content)
    {
        for (var retry = true; ; retry = false)
        {
            try
            {
                repo.Root.MakePath(Directory, 0x1ed);
                repo.Root.ReplaceFile(path, content, 0x1a4, sync: false);
                return;
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT && retry)
            {
                // A pull that was done removed the empty directory between the two.
            }
        }
    }

    /// <summary>The layer's commit, brought into the transaction, if all that it needs is still there: nothing protects it.</summary>
    internal Checksum? Restore(Digest layer, Digest diffId, LayerKind kind, RepoTransaction transaction)
    {
        if (repo.Root.TryReadAllBytes(PathOf(layer, diffId), MaxSize) is not { Length: > 0 } bytes)
        {
            return null;
        }

        try
        {
            var commit = Commit.Parse(bytes);
            // The content of an ostree layer is spread over the chunks, which have their own notes.
            if (ObjectCheck.FindMissing(repo, commit, metadataOnly: kind == LayerKind.Commit) is not null)
            {
                return null;
            }

            var checksum = transaction.WriteMetadata(ObjectType.Commit, bytes);
            if (repo.Root.TryReadAllBytes(PathOf(layer, diffId) + ".commitmeta", MaxSize) is { } detached)
            {
                transaction.WriteCommitMeta(checksum, Variant.FromBytes("a{sv}", detached));
            }

            return checksum;
        }
        catch (RepositoryException)
        {
            // No commit, or one of objects that are damaged: the layer is fetched again.
            return null;
        }
    }

    /// <summary>The layers have their refs now. What another pull noted stays.</summary>
    internal void Remove(IEnumerable<PlannedLayer> layers)
    {
        foreach (var (layer, diffId) in layers.Select(layer => (layer.Descriptor.Digest, layer.DiffId)))
        {
            repo.Root.TryUnlink(PathOf(layer, diffId));
            repo.Root.TryUnlink(PathOf(layer, diffId) + ".commitmeta");
        }

        foreach (var directory in (ReadOnlySpan<string>)[Directory, Ours])
        {
            using var open = repo.Root.TryOpenDirectory(directory);
            if (open is null || open.ReadEntries().Count > 0)
            {
                return;
            }

            try
            {
                repo.Root.RemoveDirectory(directory);
            }
            catch (LinuxException e) when (e.Errno is Errno.ENOTEMPTY or Errno.ENOENT)
            {
                // Another pull came between.
                return;
            }
        }
    }

    internal void Clear()
    {
        repo.Root.RemoveTree(Ours);
        if (repo.Root.Exists(Temporary))
        {
            Partial.Clear();
        }
    }

    public void Dispose()
    {
        if (partial.IsValueCreated)
        {
            Partial.Dispose();
        }
    }

    private PartialBlobs OpenPartial()
    {
        repo.Root.TryMakeDirectory(Temporary, 0x1ed);
        using var temporary = repo.Root.OpenDirectory(Temporary, followLinks: true);
        var opened = new PartialBlobs(temporary);
        opened.ClearOfOtherBoots();
        return opened;
    }

    private static string PathOf(Digest layer, Digest diffId) => $"{Directory}/{layer.Algorithm}-{layer.Hex}" + (diffId.IsEmpty ? "" : "-" + diffId.Hex);
}
