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

/// <summary>A line of <c>container image history --json</c>.</summary>
internal sealed record HistoryLine(string Digest, long Size, string CreatedBy);

/// <summary>What <c>container unencapsulate --json</c> prints.</summary>
internal sealed record ImportedCommit(string Commit, string? Ref);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredImage))]
[JsonSerializable(typeof(IReadOnlyList<StoredImage>))]
[JsonSerializable(typeof(IReadOnlyList<HistoryLine>))]
[JsonSerializable(typeof(ImportedCommit))]
internal sealed partial class ImageJsonContext : JsonSerializerContext;
