using System.Text.Json.Serialization;

namespace OciOstree.Cli.Container;

/// <summary>What <c>container encapsulate --json</c> prints.</summary>
internal sealed record EncapsulatedImage(
    string Image,
    string Digest,
    string Commit,
    long Size,
    long BytesSent,
    long BytesSkipped,
    bool KeptArrangement,
    IReadOnlyList<EncapsulatedImageLayer> Layers);

internal sealed record EncapsulatedImageLayer(
    string Name, string Digest, string DiffId, long Size, long UncompressedSize, int Objects, IReadOnlyList<string> Components);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EncapsulatedImage))]
internal sealed partial class EncapsulatedJson : JsonSerializerContext;
