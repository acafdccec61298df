using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>Names a blob: what it is, its digest and its size in bytes.</summary>
public sealed record Descriptor(string MediaType, Digest Digest, long Size)
{
    /// <summary>The annotation that names an image inside an OCI layout.</summary>
    public const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>In an index: where the image runs.</summary>
    public Platform? Platform { get; init; }

    public string? ArtifactType { get; init; }

    /// <summary>Where else the blob may be had (foreign layers); kept, never followed.</summary>
    public IReadOnlyList<string>? Urls { get; init; }

    /// <summary>Members that this type does not know, kept for writing it again.</summary>
    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    internal static Descriptor Read(JsonElement element, string what)
    {
        Json.RequireObject(element, what);
        var size = Json.RequireInt64(element, "size", what);
        if (size < 0)
        {
            throw new RegistryException($"invalid {what}: negative size");
        }

        return new Descriptor(Json.String(element, "mediaType", what) ?? "", Json.RequireDigest(element, "digest", what), size)
        {
            Annotations = Json.StringMap(element, "annotations", what),
            Platform = ReadPlatform(element, what),
            ArtifactType = Json.String(element, "artifactType", what),
            Urls = Json.Strings(element, "urls", what),
            Others = Json.Others(element, "mediaType", "digest", "size", "annotations", "platform", "artifactType", "urls"),
        };
    }

    internal void Write(StableJson json)
    {
        json.BeginObject(Others);
        json.Map("annotations", Annotations);
        json.Text("artifactType", ArtifactType);
        json.Text("digest", Digest.ToString());
        json.Text("mediaType", MediaType);
        if (Platform is { } platform)
        {
            json.Member("platform", () =>
            {
                json.BeginObject(null);
                json.Text("architecture", platform.Architecture);
                json.Text("os", platform.Os);
                json.Text("variant", platform.Variant);
                json.EndObject();
            });
        }

        json.Number("size", Size);
        json.List("urls", Urls);
        json.EndObject();
    }

    private static Platform? ReadPlatform(JsonElement element, string what)
    {
        if (!Json.TryGet(element, "platform", out var platform))
        {
            return null;
        }

        Json.RequireObject(platform, what);
        return new Platform(
            Json.String(platform, "os", what) ?? "",
            Json.String(platform, "architecture", what) ?? "",
            Json.String(platform, "variant", what) is { Length: > 0 } variant ? variant : null);
    }
}
