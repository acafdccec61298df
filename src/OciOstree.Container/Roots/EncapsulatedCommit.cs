using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The commit that an image has in its lower layers, looked at where it is.</summary>
public static class EncapsulatedCommit
{
    /// <summary>What each layer holds, lowest first.</summary>
    /// <exception cref="ContainerException">The image contradicts itself.</exception>
    public static IReadOnlyList<LayerKind> KindsOf(Manifest manifest, ImageConfig config) => [.. ManifestLayout.Parse(manifest, config).Layers.Select(layer => layer.Kind)];

    /// <summary>The commit object, which is the first thing in the first layer; null if the image has none.</summary>
    /// <exception cref="ContainerException">The layer cannot be had, or makes no sense.</exception>
    public static (Checksum Checksum, Commit Commit)? Read(IImageSource source, Manifest manifest, ImageConfig config, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        var layers = ManifestLayout.Parse(manifest, config).Layers.Where(layer => layer.Kind != LayerKind.Derived)
            .Select(layer => new PlannedLayer(layer.Descriptor, layer.DiffId, layer.Kind, "", null)).ToArray();
        if (layers.Length == 0)
        {
            return null;
        }

        var commit = new CommitLayers(source, layers, config.Labels.GetValueOrDefault(ImageLabels.Commit), progress ?? TransferProgress.None, cancellationToken);
        commit.ReadCommit();
        return commit.Commit ?? throw new ContainerException($"layer {layers[0].Descriptor.Digest} has no commit object");
    }
}
