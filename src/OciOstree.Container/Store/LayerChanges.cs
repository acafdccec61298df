using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>The layers of one image beside those of another, each digest once.</summary>
public sealed record LayerChanges
{
    private LayerChanges(Manifest old, Manifest now)
    {
        var before = old.Layers.DistinctBy(layer => layer.Digest).ToDictionary(layer => layer.Digest);
        var after = now.Layers.DistinctBy(layer => layer.Digest).ToDictionary(layer => layer.Digest);
        All = [.. after.Values];
        TotalSize = now.Layers.Sum(layer => layer.Size);
        Shared = [.. after.Values.Where(layer => before.ContainsKey(layer.Digest))];
        Added = [.. after.Values.Where(layer => !before.ContainsKey(layer.Digest))];
        Removed = [.. before.Values.Where(layer => !after.ContainsKey(layer.Digest))];
        var named = NamesOf(old, now);
        var (oldComponents, newComponents) = (ComponentsOf(old, named), ComponentsOf(now, named));
        AddedComponents = [.. newComponents.Keys.Where(name => !oldComponents.ContainsKey(name))];
        RemovedComponents = [.. oldComponents.Keys.Where(name => !newComponents.ContainsKey(name))];
        MovedComponents = [.. newComponents.Where(pair => oldComponents.TryGetValue(pair.Key, out var layer) && layer != pair.Value).Select(pair => pair.Key)];
    }

    /// <summary>Of the new image.</summary>
    public IReadOnlyList<Descriptor> All { get; }

    /// <summary>Bytes of the new image's layers, compressed.</summary>
    public long TotalSize { get; }

    public IReadOnlyList<Descriptor> Shared { get; }

    /// <summary>Layers of the new image whose digest the old one has not.</summary>
    public IReadOnlyList<Descriptor> Added { get; }

    public IReadOnlyList<Descriptor> Removed { get; }

    /// <summary>Components that only the new image's layers name.</summary>
    public IReadOnlyList<string> AddedComponents { get; }

    public IReadOnlyList<string> RemovedComponents { get; }

    /// <summary>Components whose layer is another one now: they, or what shares their layer, changed.</summary>
    public IReadOnlyList<string> MovedComponents { get; }

    /// <summary>What has to be fetched by who has the old image: of the added layers those whose content it has not under another compression, either.</summary>
    public IReadOnlyList<Descriptor> ToFetch(ImageConfig oldConfig, Manifest now, ImageConfig nowConfig)
    {
        HashSet<Digest> stored = [.. oldConfig.DiffIds];
        HashSet<Digest> known = [.. now.Layers.Where((_, index) => index < nowConfig.DiffIds.Count && stored.Contains(nowConfig.DiffIds[index])).Select(layer => layer.Digest)];
        return [.. Added.Where(layer => !known.Contains(layer.Digest))];
    }

    public static LayerChanges Between(Manifest old, Manifest now) => new(old, now);

    /// <summary>The components that a layer says it has; none if it says nothing.</summary>
    public static IReadOnlyList<string> ComponentsOf(Descriptor layer) =>
        layer.Annotations?.GetValueOrDefault(ChunkPlan.ComponentsAnnotation)?.Split(ChunkPlan.ComponentSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];

    // Builders drop the annotations of the layers that they build on: what one image says of a layer is so in the other.
    private static Dictionary<Digest, IReadOnlyList<string>> NamesOf(Manifest old, Manifest now)
    {
        Dictionary<Digest, IReadOnlyList<string>> names = [];
        foreach (var layer in old.Layers.Concat(now.Layers))
        {
            if (ComponentsOf(layer) is { Count: > 0 } components)
            {
                names.TryAdd(layer.Digest, components);
            }
        }

        return names;
    }

    private static SortedDictionary<string, Digest> ComponentsOf(Manifest manifest, Dictionary<Digest, IReadOnlyList<string>> named)
    {
        var components = new SortedDictionary<string, Digest>(StringComparer.Ordinal);
        foreach (var layer in manifest.Layers)
        {
            foreach (var name in named.GetValueOrDefault(layer.Digest) ?? [])
            {
                components.TryAdd(name, layer.Digest);
            }
        }

        return components;
    }
}
