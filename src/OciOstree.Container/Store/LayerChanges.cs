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
        var (oldComponents, newComponents) = (ComponentsOf(old), ComponentsOf(now));
        AddedComponents = [.. newComponents.Keys.Where(name => !oldComponents.ContainsKey(name))];
        RemovedComponents = [.. oldComponents.Keys.Where(name => !newComponents.ContainsKey(name))];
        MovedComponents = [.. newComponents.Where(pair => oldComponents.TryGetValue(pair.Key, out var layer) && layer != pair.Value).Select(pair => pair.Key)];
    }

    /// <summary>Of the new image.</summary>
    public IReadOnlyList<Descriptor> All { get; }

    /// <summary>Bytes of the new image's layers, compressed.</summary>
    public long TotalSize { get; }

    public IReadOnlyList<Descriptor> Shared { get; }

    /// <summary>What has to be fetched by who has the old image.</summary>
    public IReadOnlyList<Descriptor> Added { get; }

    public IReadOnlyList<Descriptor> Removed { get; }

    /// <summary>Components that only the new image's layers name.</summary>
    public IReadOnlyList<string> AddedComponents { get; }

    public IReadOnlyList<string> RemovedComponents { get; }

    /// <summary>Components whose layer is another one now: they, or what shares their layer, changed.</summary>
    public IReadOnlyList<string> MovedComponents { get; }

    public static LayerChanges Between(Manifest old, Manifest now) => new(old, now);

    private static SortedDictionary<string, Digest> ComponentsOf(Manifest manifest)
    {
        var components = new SortedDictionary<string, Digest>(StringComparer.Ordinal);
        foreach (var layer in manifest.Layers)
        {
            foreach (var name in layer.Annotations?.GetValueOrDefault(ChunkPlan.ComponentsAnnotation)?.Split(ChunkPlan.ComponentSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [])
            {
                components.TryAdd(name, layer.Digest);
            }
        }

        return components;
    }
}
