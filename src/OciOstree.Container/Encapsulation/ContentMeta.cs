using System.Text.Json;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Who owns each content object of a commit: components, and what they consist of. Comes from a JSON file in ostree-ext's form,
/// or from the tree itself (<see cref="FromTree"/>).
/// </summary>
public sealed class ContentMeta
{
    private const int FormatVersion = 1;

    /// <summary>In the order that layers are to have where each component gets its own.</summary>
    public required IReadOnlyList<Component> Components { get; init; }

    /// <summary>The component's <see cref="Component.Id"/> of each object that one owns.</summary>
    public required IReadOnlyDictionary<Checksum, string> Owners { get; init; }

    /// <summary>The image's time of creation, RFC 3339; null means the commit's.</summary>
    public string? Created { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine that the tree is made for, in Go's words (<c>amd64</c>), where its package database says so.</summary>
    public string? Architecture { get; init; }

    /// <summary>
    /// Reads the JSON form: <c>version</c> 1, <c>layers</c> (id to name, ordered), <c>mapping</c> (object checksum to id), optional
    /// <c>created</c> and <c>labels</c>. An <c>ordered</c> mapping is not known to any version.
    /// </summary>
    /// <exception cref="ContainerException">It has another form.</exception>
    public static ContentMeta Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what the reader says of text that is not Unicode.
            throw new ContainerException("invalid content metadata", e);
        }
    }

    private static ContentMeta Read(JsonElement root)
    {
        Require(root.ValueKind == JsonValueKind.Object, "not an object");
        Require(root.TryGetProperty("version", out JsonElement version) && version.ValueKind == JsonValueKind.Number, "no version");
        Require(version.TryGetUInt32(out uint number) && number == FormatVersion, $"version {version.GetRawText()}, known is {FormatVersion}");
        Require(!root.TryGetProperty("ordered", out JsonElement ordered) || ordered.ValueKind is JsonValueKind.False or JsonValueKind.Null,
            "an ordered mapping is not supported");
        var components = new List<Component>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string id, string name) in Strings(root, "layers", required: true))
        {
            Require(ids.Add(id), $"layer '{id}' is there twice");
            // The name that ostree-ext gives to what no package owns.
            components.Add(new Component(id, name, id == "unpackaged" ? Component.EveryBuild : 1));
        }

        var owners = new Dictionary<Checksum, string>();
        foreach ((string hex, string id) in Strings(root, "mapping", required: true))
        {
            Require(Checksum.TryParse(hex, out Checksum checksum), $"'{hex}' is not a checksum");
            Require(ids.Contains(id), $"object {hex} belongs to '{id}', which is no layer");
            owners[checksum] = id;
        }

        string? created = null;
        if (root.TryGetProperty("created", out JsonElement time) && time.ValueKind != JsonValueKind.Null)
        {
            Require(time.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(time.GetString(), out _), "created is not a time");
            created = time.GetString();
        }

        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, string value) in Strings(root, "labels", required: false))
        {
            labels[key] = value;
        }

        return new ContentMeta { Components = components, Owners = owners, Created = created, Labels = labels };
    }

    private static IEnumerable<(string Key, string Value)> Strings(JsonElement root, string name, bool required)
    {
        if (!root.TryGetProperty(name, out JsonElement map) || map.ValueKind == JsonValueKind.Null)
        {
            Require(!required, $"no {name}");
            yield break;
        }

        Require(map.ValueKind == JsonValueKind.Object, $"{name} is not an object");
        foreach (JsonProperty property in map.EnumerateObject())
        {
            Require(property.Value.ValueKind == JsonValueKind.String, $"{name}.{property.Name} is not a string");
            yield return (property.Name, property.Value.GetString()!);
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ContainerException($"invalid content metadata: {message}");
        }
    }

    /// <summary>
    /// Finds the components in the tree: the packages of its own package databases (dpkg's, rpm's) and, for what none owns, the kernel, the initramfs, the
    /// database itself and directories down to the third level.
    /// </summary>
    public static ContentMeta FromTree(CommitContent content)
    {
        var grouping = new ComponentGrouping(content);
        string? architecture = null;
        if (DpkgDatabase.Find(content) is { } dpkg)
        {
            architecture = dpkg.Architecture;
            grouping.ClaimPackages(dpkg.Path, dpkg.ReadPackages());
        }

        if (RpmFileOwners.Find(content) is { } rpm)
        {
            architecture ??= rpm.Architecture;
            grouping.ClaimPackages(rpm.Path, rpm.Packages);
        }

        grouping.ClaimDirectories();
        return new ContentMeta { Components = grouping.Components, Owners = grouping.Owners, Architecture = architecture };
    }
}
