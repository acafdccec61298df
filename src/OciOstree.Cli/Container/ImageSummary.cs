using System.Text.Json.Serialization;

namespace OciOstree.Cli.Container;

/// <summary>What <c>inspect --json</c> prints.</summary>
internal sealed record ImageSummary(
    string Image,
    string Digest,
    string? IndexDigest,
    string MediaType,
    string Platform,
    string? Created,
    string? Version,
    string? OstreeCommit,
    long Size,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<LayerSummary> Layers);

internal sealed record LayerSummary(string Digest, string? DiffId, string MediaType, long Size, IReadOnlyDictionary<string, string>? Annotations);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageSummary))]
internal sealed partial class InspectJson : JsonSerializerContext;
