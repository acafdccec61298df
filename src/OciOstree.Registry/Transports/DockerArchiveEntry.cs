using System.Text.Json;

namespace OciOstree.Registry.Transports;

/// <summary>One image of a docker archive's <c>manifest.json</c>.</summary>
internal sealed record DockerArchiveEntry(string Config, IReadOnlyList<string> RepoTags, IReadOnlyList<string> Layers)
{
    internal const string FileName = "manifest.json";
    private const string What = "manifest.json of the archive";

    internal static List<DockerArchiveEntry> ParseAll(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw new RegistryException($"invalid {What}: not a list");
            }

            return [.. document.RootElement.EnumerateArray().Select(Read)];
        }
        catch (JsonException e)
        {
            throw new RegistryException($"invalid {What}: {Printable.Clip(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            throw new RegistryException($"invalid {What}: text that is not Unicode");
        }
    }

    /// <summary>A <c>manifest.json</c> of this image alone.</summary>
    internal byte[] Serialize() => StableJson.Write(json =>
    {
        json.Array([this], entry =>
        {
            json.BeginObject(null);
            json.Text("Config", entry.Config);
            json.List("Layers", entry.Layers);
            json.List("RepoTags", entry.RepoTags);
            json.EndObject();
        });
    });

    private static DockerArchiveEntry Read(JsonElement element)
    {
        Json.RequireObject(element, What);
        return new DockerArchiveEntry(
            Json.String(element, "Config", What) ?? throw new RegistryException($"invalid {What}: no Config"),
            Json.Strings(element, "RepoTags", What) ?? [],
            Json.Strings(element, "Layers", What) ?? []);
    }
}
