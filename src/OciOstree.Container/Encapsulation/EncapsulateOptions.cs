using OciOstree.Formats.Compression;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>What an image of a commit is to be like. The defaults make what ostree-ext makes.</summary>
public sealed record EncapsulateOptions
{
    /// <summary>Who owns what; null finds it out from the tree.</summary>
    public ContentMeta? ContentMeta { get; init; }

    /// <summary>The most layers; 1 puts everything into one.</summary>
    public int MaxLayers { get; init; } = ChunkPlan.DefaultMaxLayers;

    /// <summary>The manifest of an earlier build, whose arrangement of components into layers is kept.</summary>
    public Manifest? Previous { get; init; }

    /// <summary>Labels to add. They win over those made from the commit.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Keys of the commit's metadata, of string type, that become labels; each must be there.</summary>
    public IReadOnlyList<string> CopyMetadata { get; init; } = [];

    /// <summary>The same, where they are there.</summary>
    public IReadOnlyList<string> CopyOptionalMetadata { get; init; } = [];

    /// <summary>What a container runs; null takes the commit's <c>ostree.container-cmd</c>, if any.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>The container's other settings.</summary>
    public ContainerConfig? Config { get; init; }

    /// <summary>Where the image runs; null takes the tree's architecture where its package database tells it, else this machine's.</summary>
    public Platform? Platform { get; init; }

    public CompressionKind Compression { get; init; } = CompressionKind.Gzip;

    /// <summary>0 is the usual level of the compression; 1 the fastest.</summary>
    public int CompressionLevel { get; init; }

    /// <summary>Layers made at once; 0 means as many as there are processors. The image is the same for any number.</summary>
    public int Threads { get; init; }
}
