using System.Text.Json.Serialization;
using OciOstree.Container;

namespace OciOstree.Cli.Container;

/// <summary>A stored image, as <c>container image list --json</c> and <c>pull --json</c> print it.</summary>
internal sealed record StoredImage(
    string Image,
    string Commit,
    string? BaseCommit,
    string ManifestDigest,
    string? Version,
    string? Created,
    int Layers,
    long Size)
{
    public bool? Changed { get; init; }

    public int? LayersFetched { get; init; }

    public long? BytesFetched { get; init; }

    public IReadOnlyDictionary<string, int>? Dropped { get; init; }

    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>Who signed the commit inside, where the reference names an ostree remote.</summary>
    public string? Signatures { get; init; }

    public static StoredImage From(string name, ImportedImage image) => new(
        name,
        image.MergeCommit.ToString(),
        image.BaseCommit?.ToString(),
        image.ManifestDigest.ToString(),
        image.Version,
        image.Config.Created,
        image.Manifest.Layers.Count,
        image.Manifest.TotalSize)
    {
        Signatures = image.Signatures,
    };
}

/// <summary>What <c>container image pull --check --json</c> prints of an image that is not in the repository, or an older one is.</summary>
internal sealed record NewerImage(
    string Image,
    string ManifestDigest,
    string? Version,
    string? Created,
    int Layers,
    long Size,
    bool Changed,
    string? PreviousManifestDigest,
    int LayersToFetch,
    long BytesToFetch);

/// <summary>A line of <c>container image history --json</c>.</summary>
internal sealed record HistoryLine(string Digest, string? DiffId, string Kind, long Size, string? Created, string CreatedBy, string? Comment);

/// <summary>What <c>container image copy|reexport|push|replace-detached-metadata --json</c> print.</summary>
internal sealed record WrittenImage(string Image, string Digest, long BytesSent, long BytesSkipped);

/// <summary>What <c>container image copy --json</c> prints of a copy between repositories.</summary>
internal sealed record CopiedImage(string Image, string Commit, string ManifestDigest);

/// <summary>What <c>container image remove|prune-layers|prune-images --json</c> print; what was not asked for is left out.</summary>
internal sealed record PrunedImages(IReadOnlyList<string> Images, int? Layers, int? Objects, long? BytesFreed);

/// <summary>What <c>container unencapsulate|tar import|ima-sign --json</c> print.</summary>
internal sealed record ImportedCommit(string Commit, string? Ref);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredImage))]
[JsonSerializable(typeof(IReadOnlyList<StoredImage>))]
[JsonSerializable(typeof(IReadOnlyList<HistoryLine>))]
[JsonSerializable(typeof(ImportedCommit))]
[JsonSerializable(typeof(NewerImage))]
[JsonSerializable(typeof(WrittenImage))]
[JsonSerializable(typeof(CopiedImage))]
[JsonSerializable(typeof(PrunedImages))]
internal sealed partial class ImageJsonContext : JsonSerializerContext;
