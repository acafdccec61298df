using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>
/// An image's configuration (the OCI image specification's <c>config.md</c>; Docker's is a superset). Members that it does
/// not know are kept when it is written again.
/// </summary>
public sealed record ImageConfig
{
    private const string What = "image configuration";

    /// <summary>RFC 3339, as written: the digest depends on its spelling.</summary>
    public string? Created { get; init; }

    public string? Author { get; init; }

    public string Architecture { get; init; } = "";

    public string? Variant { get; init; }

    public string Os { get; init; } = "linux";

    public ContainerConfig? Config { get; init; }

    /// <summary>Digests of the uncompressed layers, lowest first.</summary>
    public IReadOnlyList<Digest> DiffIds { get; init; } = [];

    public IReadOnlyList<HistoryEntry> History { get; init; } = [];

    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    /// <summary>The labels; empty, never null.</summary>
    public IReadOnlyDictionary<string, string> Labels => Config?.Labels ?? System.Collections.Immutable.ImmutableDictionary<string, string>.Empty;

    public Platform Platform => new(Os, Architecture, Variant);

    /// <exception cref="RegistryException">It is no image configuration.</exception>
    public static ImageConfig Parse(ReadOnlyMemory<byte> bytes)
    {
        ManifestKind.RequireSize(bytes.Length);
        return Json.Parse(bytes, What, root => new ImageConfig
        {
            Created = Json.String(root, "created", What),
            Author = Json.String(root, "author", What),
            Architecture = Json.String(root, "architecture", What) ?? "",
            Variant = Json.String(root, "variant", What),
            Os = Json.String(root, "os", What) ?? "",
            Config = Json.TryGet(root, "config", out var config) ? ContainerConfig.Read(config) : null,
            DiffIds = ReadDiffIds(root),
            History = Json.List(root, "history", What, HistoryEntry.Read),
            Others = Json.Others(root, "created", "author", "architecture", "variant", "os", "config", "rootfs", "history"),
        });
    }

    /// <summary>The same bytes for the same values, on any machine and in any version.</summary>
    public byte[] Serialize() => StableJson.Write(json =>
    {
        json.BeginObject(Others);
        json.Text("architecture", Architecture);
        json.Text("author", Author);
        if (Config is { } config)
        {
            json.Member("config", () => config.Write(json));
        }

        json.Text("created", Created);
        json.List("history", History, entry => entry.Write(json));
        json.Text("os", Os);
        json.Member("rootfs", () =>
        {
            json.BeginObject(null);
            json.List("diff_ids", [.. DiffIds.Select(d => d.ToString())]);
            json.Text("type", "layers");
            json.EndObject();
        });
        json.Text("variant", Variant);
        json.EndObject();
    });

    private static IReadOnlyList<Digest> ReadDiffIds(JsonElement root)
    {
        if (!Json.TryGet(root, "rootfs", out var rootFs))
        {
            return [];
        }

        Json.RequireObject(rootFs, What);
        return [.. (Json.Strings(rootFs, "diff_ids", What) ?? []).Select(Digest.Parse)];
    }
}
