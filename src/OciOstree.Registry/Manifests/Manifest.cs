using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>An image manifest: its configuration and its layers, in OCI's form or in Docker's version 2, schema 2.</summary>
public sealed record Manifest
{
    /// <summary>The largest manifest or index that is read, in bytes, as in containers/image.</summary>
    public const int SizeLimit = 4 << 20;

    public string MediaType { get; init; } = MediaTypes.OciManifest;

    public required Descriptor Config { get; init; }

    /// <summary>Lowest first.</summary>
    public required IReadOnlyList<Descriptor> Layers { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public string? ArtifactType { get; init; }

    /// <summary>The manifest that this one is about (a signature, a table of contents).</summary>
    public Descriptor? Subject { get; init; }

    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    /// <summary>Bytes of the configuration and of all layers.</summary>
    public long TotalSize => Config.Size + Layers.Sum(l => l.Size);

    /// <exception cref="RegistryException">It is no manifest of version 2.</exception>
    public static Manifest Parse(ReadOnlyMemory<byte> bytes)
    {
        const string What = "manifest";
        ManifestKind.RequireSize(bytes.Length);
        return Json.Parse(bytes, What, root =>
        {
            if (Json.Int64(root, "schemaVersion", What) is not 2)
            {
                throw new RegistryException("unsupported manifest: only schema version 2 is known");
            }

            if (!Json.TryGet(root, "config", out var config))
            {
                throw new RegistryException("invalid manifest: no config");
            }

            var configDescriptor = Descriptor.Read(config, "manifest config");
            return new Manifest
            {
                MediaType = Json.String(root, "mediaType", What) is { Length: > 0 } given ? given : ManifestKind.Guess(configDescriptor),
                Config = configDescriptor,
                Layers = Json.List(root, "layers", What, e => Descriptor.Read(e, "manifest layer")),
                Annotations = Json.StringMap(root, "annotations", What),
                ArtifactType = Json.String(root, "artifactType", What),
                Subject = Json.TryGet(root, "subject", out var subject) ? Descriptor.Read(subject, "manifest subject") : null,
                Others = Json.Others(root, "schemaVersion", "mediaType", "config", "layers", "annotations", "artifactType", "subject"),
            };
        });
    }

    /// <summary>The same bytes for the same values, on any machine and in any version.</summary>
    public byte[] Serialize() => StableJson.Write(json =>
    {
        json.BeginObject(Others);
        json.Map("annotations", Annotations);
        json.Text("artifactType", ArtifactType);
        json.Member("config", () => Config.Write(json));
        json.List("layers", Layers, layer => layer.Write(json));
        json.Text("mediaType", MediaType);
        json.Number("schemaVersion", 2);
        if (Subject is { } subject)
        {
            json.Member("subject", () => subject.Write(json));
        }

        json.EndObject();
    });
}
