using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>A list of manifests: an OCI image index, a Docker manifest list, or the index.json of a layout.</summary>
public sealed record ImageIndex
{
    public string? MediaType { get; init; } = MediaTypes.OciIndex;

    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public string? ArtifactType { get; init; }

    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    /// <exception cref="RegistryException">It is no index.</exception>
    public static ImageIndex Parse(ReadOnlyMemory<byte> bytes)
    {
        const string What = "image index";
        ManifestKind.RequireSize(bytes.Length);
        return Json.Parse(bytes, What, root =>
        {
            if (Json.Int64(root, "schemaVersion", What) is not 2)
            {
                throw new RegistryException("unsupported image index: only schema version 2 is known");
            }

            return new ImageIndex
            {
                MediaType = Json.String(root, "mediaType", What) is { Length: > 0 } given ? given : null,
                Manifests = Json.List(root, "manifests", What, e => Descriptor.Read(e, "image index entry")),
                Annotations = Json.StringMap(root, "annotations", What),
                ArtifactType = Json.String(root, "artifactType", What),
                Others = Json.Others(root, "schemaVersion", "mediaType", "manifests", "annotations", "artifactType"),
            };
        });
    }

    public byte[] Serialize() => StableJson.Write(json =>
    {
        json.BeginObject(Others);
        json.Map("annotations", Annotations);
        json.Text("artifactType", ArtifactType);
        json.List("manifests", Manifests, m => m.Write(json));
        json.Text("mediaType", MediaType);
        json.Number("schemaVersion", 2);
        json.EndObject();
    });

    /// <summary>The manifest that runs on <paramref name="platform"/>: the best match, the first of equals; null if none does.</summary>
    public Descriptor? Select(Platform platform)
    {
        Descriptor? best = null;
        var bestScore = 0;
        foreach (var candidate in Manifests)
        {
            var score = candidate.Platform is { } offered ? platform.Score(offered) : 0;
            if (score > bestScore)
            {
                (best, bestScore) = (candidate, score);
            }
        }

        // An index of one image that says nothing of platforms is that image, whatever attestations lie beside it.
        return best ?? (Manifests.Where(manifest => manifest.Platform is not { Os: "unknown" }).ToArray() is [{ Platform: null } only] ? only : null);
    }
}
