using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>One layer of an image about to be imported.</summary>
/// <param name="Descriptor">The blob.</param>
/// <param name="DiffId">The digest of its uncompressed bytes; empty if the image does not say.</param>
/// <param name="CreatedBy">What the image's history says of it; empty if nothing.</param>
/// <param name="Commit">The commit that holds the layer already; null if it is to be fetched.</param>
public sealed record PlannedLayer(Descriptor Descriptor, Digest DiffId, LayerKind Kind, string CreatedBy, Checksum? Commit)
{
    /// <summary>The ref that the layer's commit gets.</summary>
    public string RefName => ImageRefs.ForLayer(Descriptor.Digest);
}
