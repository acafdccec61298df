using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>How one layer, or one change of the configuration alone, came to be.</summary>
public sealed record HistoryEntry
{
    private const string What = "image history";

    /// <summary>RFC 3339, as written.</summary>
    public string? Created { get; init; }

    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    /// <summary>True when no layer belongs to this entry.</summary>
    public bool EmptyLayer { get; init; }

    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    internal static HistoryEntry Read(JsonElement element)
    {
        Json.RequireObject(element, What);
        return new HistoryEntry
        {
            Created = Json.String(element, "created", What),
            CreatedBy = Json.String(element, "created_by", What),
            Author = Json.String(element, "author", What),
            Comment = Json.String(element, "comment", What),
            EmptyLayer = Json.Boolean(element, "empty_layer", What) ?? false,
            Others = Json.Others(element, "created", "created_by", "author", "comment", "empty_layer"),
        };
    }

    internal void Write(StableJson json)
    {
        json.BeginObject(Others);
        json.Text("author", Author);
        json.Text("comment", Comment);
        json.Text("created", Created);
        json.Text("created_by", CreatedBy);
        json.Boolean("empty_layer", EmptyLayer ? true : null);
        json.EndObject();
    }
}
