using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>How a commit's content is divided among layers.</summary>
public sealed class ChunkPlan
{
    /// <summary>The layer annotation that lists component names.</summary>
    public const string ComponentsAnnotation = "ostree.components";

    /// <summary>Between the names in <see cref="ComponentsAnnotation"/>.</summary>
    public const char ComponentSeparator = ',';

    /// <summary>Layers of an image, unless asked for otherwise. Half of what container engines can stack, so that builds on top have room.</summary>
    public const int DefaultMaxLayers = 64;

    private ChunkPlan(IReadOnlyList<Chunk> chunks, IReadOnlyList<ContentObject> remainder, bool keepsArrangement)
    {
        Chunks = chunks;
        Remainder = remainder;
        KeepsArrangement = keepsArrangement;
    }

    /// <summary>The layers above the commit's own, lowest first.</summary>
    public IReadOnlyList<Chunk> Chunks { get; }

    /// <summary>What stays in the commit's own layer; sorted by checksum.</summary>
    public IReadOnlyList<ContentObject> Remainder { get; }

    /// <summary>Whether the arrangement of the earlier build was continued.</summary>
    public bool KeepsArrangement { get; }

    /// <summary>All content in the commit's own layer.</summary>
    public static ChunkPlan Single(CommitContent content) => new([], content.Objects, false);

    /// <param name="content">Of the commit.</param>
    /// <param name="meta">Who owns what.</param>
    /// <param name="maxLayers">The most layers, the commit's own included; an earlier build's arrangement may have one more, as ostree-ext makes it.</param>
    /// <param name="previous">The manifest of an earlier build, whose arrangement is continued where that is possible.</param>
    public static ChunkPlan Create(CommitContent content, ContentMeta meta, int maxLayers = DefaultMaxLayers, Manifest? previous = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLayers, 1);
        if (maxLayers == 1)
        {
            return Single(content);
        }

        var objects = meta.Components.ToDictionary(c => c.Id, _ => new List<ContentObject>(), StringComparer.Ordinal);
        var remainder = new List<ContentObject>();
        foreach (ContentObject item in content.Objects)
        {
            (meta.Owners.TryGetValue(item.Checksum, out string? owner) ? objects[owner] : remainder).Add(item);
        }

        List<SizedComponent> components = [.. meta.Components.Select(c => new SizedComponent(c, objects[c.Id].Sum(o => o.Size)))];
        int bins = maxLayers - 1;
        List<List<SizedComponent>>? packed = previous is null ? null : Packing.PackAs(previous, components, maxLayers);
        bool keepsArrangement = packed is not null;
        if (packed is null)
        {
            // The given order counts where each has its own layer; packing goes by size.
            packed = Packing.Pack(components.Count < bins ? components : [.. components.OrderByDescending(c => c.Size)], bins);
        }

        return new ChunkPlan([.. packed.Select(bin => ToChunk(bin, objects))], remainder, keepsArrangement);
    }

    private static Chunk ToChunk(List<SizedComponent> bin, Dictionary<string, List<ContentObject>> objects)
    {
        string name = bin.Count switch
        {
            0 => "Reserved for new packages",
            <= 5 => string.Join(" and ", bin.Select(c => c.Component.Id)),
            _ => $"{bin.Count} components",
        };
        List<ContentObject> content = [.. bin.SelectMany(c => objects[c.Component.Id])];
        content.Sort((a, b) => a.Checksum.CompareTo(b.Checksum));
        List<string> names = [.. bin.Select(c => c.Component.Name)];
        names.Sort(StringComparer.Ordinal);
        return new Chunk(name, names, content);
    }
}
