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
    private readonly Lazy<ILookup<Digest, Digest>> diffIds;

    internal StoredLayers(Repo repo, PendingLayers pending, LayerTransactions transactions)
    {
        (this.repo, this.pending, this.transactions) = (repo, pending, transactions);
        byDiffId = new(() => new ImageStore(repo).LayersByDiffId());
        diffIds = new(() => new ImageStore(repo).DiffIdsByLayer());
    }

    internal Checksum? Find(Descriptor layer, Digest diffId, LayerKind kind)
    {
        if (repo.ResolveRef(ImageRefs.ForLayer(layer.Digest)) is { } byRef && Is(byRef, kind) && IsKnownAs(layer.Digest, diffId))
        {
            return byRef;
        }

        if (pending.Any && pending.Restore(layer.Digest, diffId, kind, transactions.Current) is { } found && Is(found, kind))
        {
            return found;
        }

        return !diffId.IsEmpty && byDiffId.Value.TryGetValue(diffId, out var same) && Is(same, kind) ? same : null;
    }

    // The diff id of a stored layer was proven when the layer came, for the image that it came with. One that says another is to prove it: a third image might
    // get this layer for that diff id.
    private bool IsKnownAs(Digest layer, Digest diffId) => diffId.IsEmpty || !diffIds.Value.Contains(layer) || diffIds.Value[layer].Contains(diffId);

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
