using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Finds the layers that need not be fetched: by digest, by what an interrupted pull left, or by their uncompressed content.</summary>
internal sealed class StoredLayers
{
    private readonly Repo repo;
    private readonly PendingLayers pending;
    private readonly LayerTransactions transactions;
    private readonly Lazy<Dictionary<Digest, Checksum>> byDiffId;

    internal StoredLayers(Repo repo, PendingLayers pending, LayerTransactions transactions)
    {
        (this.repo, this.pending, this.transactions) = (repo, pending, transactions);
        byDiffId = new(() => new ImageStore(repo).LayersByDiffId());
    }

    internal Checksum? Find(Descriptor layer, Digest diffId, LayerKind kind)
    {
        if (repo.ResolveRef(ImageRefs.ForLayer(layer.Digest)) is { } byRef && Is(byRef, kind))
        {
            return byRef;
        }

        if (pending.Any && pending.Restore(layer.Digest, kind, transactions.Current) is { } found && Is(found, kind))
        {
            return found;
        }

        return !diffId.IsEmpty && byDiffId.Value.TryGetValue(diffId, out var same) && Is(same, kind) ? same : null;
    }

    // One blob may be a chunk of one image and, where an image lost its labels, an ordinary layer of another: its commits differ.
    private bool Is(Checksum checksum, LayerKind kind)
    {
        if (!repo.HasObject(new ObjectName(checksum, ObjectType.Commit)))
        {
            return false;
        }

        var commit = repo.ReadCommit(checksum);
        if (commit.Metadata.Lookup(LayerMetadata.ImporterVersionKey) is not null)
        {
            return kind == LayerKind.Derived;
        }

        if (!repo.HasObject(new ObjectName(commit.RootTree, ObjectType.DirTree)))
        {
            return false;
        }

        var root = repo.ReadDirTree(commit.RootTree);
        var isChunk = root.Directories.Count == 0 && root.Files.All(file => file.Name == file.Checksum.ToString());
        return kind == (isChunk ? LayerKind.Chunk : LayerKind.Commit);
    }
}
