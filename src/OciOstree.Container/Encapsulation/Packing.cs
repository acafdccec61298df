using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// Decides which components share a layer. The aim is that an update changes few bytes of layers: what is large stands alone, what changes at every
/// build stands together, the rest is sorted by how often it changes and how large it is. The rules are ostree-ext's, so that an image that
/// it built before is continued in the same arrangement.
/// </summary>
internal static class Packing
{
    /// <summary>The layers below which ostree-ext's rules have no room.</summary>
    internal const int MinBins = 4;

    // Shares of the bins that are left when the special ones are taken.
    private const float HighSizeShare = 0.6f;

    /// <summary>Packs anew.</summary>
    /// <param name="components">Sorted by descending size.</param>
    /// <param name="bins">The most bins to use.</param>
    /// <returns>Bins in layer order; the last one may be empty: it is kept for components that the next build adds.</returns>
    internal static List<List<SizedComponent>> Pack(IReadOnlyList<SizedComponent> components, int bins)
    {
        var packed = new List<List<SizedComponent>>();
        if (components.Count == 0)
        {
            return packed;
        }

        if (components.Count < bins)
        {
            packed.AddRange(components.Select(c => new List<SizedComponent> { c }));
            packed.Add([]);
            return packed;
        }

        if (bins < MinBins)
        {
            // The largest ones alone, all others together.
            packed.AddRange(components.Take(bins - 1).Select(c => new List<SizedComponent> { c }));
            packed.Add([.. components.Skip(bins - 1)]);
            return packed;
        }

        List<SizedComponent> everyBuild = [.. components.Where(c => c.Component.ChangeFrequency == Component.EveryBuild)];
        List<SizedComponent> others = [.. components.Where(c => c.Component.ChangeFrequency != Component.EveryBuild)];
        const int LowSizeBins = 1;
        const int NewBins = 1;
        int everyBuildBins = everyBuild.Count > 0 ? 1 : 0;
        if (others.Count > 0)
        {
            int free = bins - LowSizeBins - NewBins - everyBuildBins;
            int highSizeBins = (int)MathF.Floor(HighSizeShare * free);
            int mediumBins = free - highSizeBins;
            PackBySize(packed, others, highSizeBins, mediumBins);
            Merge(packed, LowSizeBins + highSizeBins, bins - NewBins - everyBuildBins);
        }

        if (everyBuild.Count > 0)
        {
            packed.Add(everyBuild);
        }

        packed.Add([]);
        return packed;
    }

    private static void PackBySize(List<List<SizedComponent>> packed, List<SizedComponent> components, int highSizeBins, int mediumBins)
    {
        SizePartitions partitions = SizePartitions.Divide(components, highSizeBins);
        packed.AddRange(partitions.High.Select(c => new List<SizedComponent> { c }));
        if (partitions.Low.Count > 0)
        {
            packed.Add([.. partitions.Low]);
        }

        int perBin = Math.Max(1, (components.Count - highSizeBins - partitions.Low.Count) / mediumBins);
        foreach (IReadOnlyList<SizedComponent> partition in partitions.Medium)
        {
            packed.AddRange(partition.Chunk(perBin).Select(c => new List<SizedComponent>(c)));
        }
    }

    /// <summary>Brings the number of bins down to the limit by joining neighbours, from the end: what rarely changes is joined first.</summary>
    private static void Merge(List<List<SizedComponent>> packed, int first, int limit)
    {
        while (packed.Count > limit)
        {
            int range = packed.Count - 1 - first;
            for (int i = first + (Math.Max(range - 1, 0) / 2 * 2); i >= first && packed.Count > limit; i -= 2)
            {
                List<SizedComponent> merged = [.. packed[i - 1], .. packed[i]];
                packed.RemoveRange(i - 1, 2);
                packed.Insert(Math.Min(i, packed.Count), merged);
            }
        }
    }

    /// <summary>
    /// Continues the arrangement of an earlier build, as the annotations of its layers tell it: components stay where they were, new ones go
    /// to the last bin.
    /// </summary>
    /// <returns>Null if the earlier build tells nothing or needs more bins than there are.</returns>
    internal static List<List<SizedComponent>>? PackAs(Manifest previous, IReadOnlyList<SizedComponent> components, int bins)
    {
        // The first layer is the commit's own. Layers without the annotation were put on top by others.
        List<string[]> names =
        [
            .. previous.Layers.Skip(1)
                .Select(l => l.Annotations?.GetValueOrDefault(ChunkPlan.ComponentsAnnotation))
                .OfType<string>()
                .Select(value => value.Split(ChunkPlan.ComponentSeparator, StringSplitOptions.RemoveEmptyEntries)),
        ];
        if (names.Count == 0)
        {
            return null;
        }

        // A name may stand for several components, as no rule says that it is unique; they go together.
        ILookup<string, SizedComponent> byName = components.ToLookup(c => c.Component.Name, StringComparer.Ordinal);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        List<List<SizedComponent>> packed = [];
        foreach (string[] bin in names)
        {
            packed.Add([.. bin.Where(placed.Add).SelectMany(name => byName[name])]);
        }

        packed[^1].AddRange(components.Where(c => !placed.Contains(c.Component.Name)).OrderBy(c => c.Component.Name, StringComparer.Ordinal));
        List<List<SizedComponent>> kept = [.. packed.Take(packed.Count - 1).Where(bin => bin.Count > 0), packed[^1]];
        return kept.Count <= bins ? kept : null;
    }
}
