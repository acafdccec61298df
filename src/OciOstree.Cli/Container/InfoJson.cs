using System.Text.Json.Serialization;

namespace OciOstree.Cli.Container;

/// <summary>What <c>container info --json</c> prints.</summary>
internal sealed record ImageInfo(
    string Image,
    string Digest,
    string Platform,
    string? Created,
    string? Version,
    string? Kernel,
    bool Bootable,
    int? FormatVersion,
    InfoCommit? Commit,
    long Size,
    IReadOnlyList<InfoLayer> Layers,
    IReadOnlyList<InfoComponent>? Components);

internal sealed record InfoCommit(string Checksum, string? Parent, string Subject, string Timestamp, IReadOnlyDictionary<string, string> Metadata);

/// <param name="Objects">Content objects; known for layers that are stored in a repository.</param>
/// <param name="ContentSize">Bytes of content in them.</param>
internal sealed record InfoLayer(string Kind, string Digest, long Size, IReadOnlyList<string> Components, string CreatedBy, int? Objects, long? ContentSize);

internal sealed record InfoComponent(string Name, int Objects, long Size);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageInfo))]
internal sealed partial class InfoJson : JsonSerializerContext;
