using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>What an import has to do.</summary>
public sealed class ImportPlan
{
    internal ImportPlan(FetchedManifest fetched, ReadOnlyMemory<byte> configBytes, ImageConfig config, IReadOnlyList<PlannedLayer> layers, ImportedImage? previous)
    {
        ManifestBytes = fetched.Bytes;
        Manifest = fetched.Manifest;
        ManifestDigest = fetched.Digest;
        ConfigBytes = configBytes;
        Config = config;
        Layers = layers;
        Previous = previous;
    }

    internal ImportPlan(ImportedImage present)
    {
        Present = present;
        Previous = present;
        Manifest = present.Manifest;
        ManifestDigest = present.ManifestDigest;
        Config = present.Config;
        Layers = [];
    }

    /// <summary>The image, if it is in the repository already and nothing needs to be done.</summary>
    public ImportedImage? Present { get; }

    /// <summary>What the repository has under the same name, be it this image or an older one; null if nothing.</summary>
    public ImportedImage? Previous { get; }

    public Digest ManifestDigest { get; }

    public Manifest Manifest { get; }

    public ReadOnlyMemory<byte> ManifestBytes { get; }

    public ImageConfig Config { get; }

    public ReadOnlyMemory<byte> ConfigBytes { get; }

    /// <summary>All layers, lowest first.</summary>
    public IReadOnlyList<PlannedLayer> Layers { get; }

    /// <summary>The layers that are not in the repository, each digest once.</summary>
    public IEnumerable<PlannedLayer> LayersToFetch => Layers.Where(layer => layer.Commit is null).DistinctBy(layer => layer.Descriptor.Digest);

    /// <summary>Bytes to move, compressed.</summary>
    public long BytesToFetch => LayersToFetch.Sum(layer => layer.Descriptor.Size);

    /// <summary>The version that the image says it is; null if it says none.</summary>
    public string? Version => ImageLabels.VersionOf(Config);
}
