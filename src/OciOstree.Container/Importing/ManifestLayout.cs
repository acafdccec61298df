using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// Which layer of an image is what. The label <c>ostree.final-diffid</c> names the last layer that belongs to the commit; up to
/// there the first is the ostree layer and the others are chunks. Without the label, or that layer, every layer is derived.
/// </summary>
internal sealed class ManifestLayout
{
    private readonly int commitLayers;

    private ManifestLayout(Manifest manifest, ImageConfig config, int commitLayers)
    {
        this.commitLayers = commitLayers;
        Layers = [.. manifest.Layers.Select((layer, index) => (layer, index < config.DiffIds.Count ? config.DiffIds[index] : default, KindOf(index)))];
    }

    /// <summary>In the manifest's order. The diff id is empty if the configuration lacks it.</summary>
    internal IReadOnlyList<(Descriptor Descriptor, Digest DiffId, LayerKind Kind)> Layers { get; }

    /// <summary>The label is there, and the layer that it names is not: somebody made one layer of all of them. They are read as any other image's.</summary>
    internal bool IsSquashed { get; private init; }

    internal bool HasCommit => commitLayers > 0;

    internal bool HasDerived => commitLayers < Layers.Count;

    /// <exception cref="ContainerException">There are no layers, or fewer than diff ids.</exception>
    internal static ManifestLayout Parse(Manifest manifest, ImageConfig config)
    {
        if (manifest.Layers.Count == 0)
        {
            throw new ContainerException("the image has no layers");
        }

        if (!config.Labels.TryGetValue(ImageLabels.FinalDiffId, out var label))
        {
            return new ManifestLayout(manifest, config, 0);
        }

        for (var index = 0; index < config.DiffIds.Count; index++)
        {
            if (config.DiffIds[index].ToString() == label)
            {
                return index < manifest.Layers.Count
                    ? new ManifestLayout(manifest, config, index + 1)
                    : throw new ContainerException($"label {ImageLabels.FinalDiffId} names layer {index + 1} of {manifest.Layers.Count}");
            }
        }

        return new ManifestLayout(manifest, config, 0) { IsSquashed = true };
    }

    private LayerKind KindOf(int index) => index >= commitLayers ? LayerKind.Derived : index == 0 ? LayerKind.Commit : LayerKind.Chunk;
}
