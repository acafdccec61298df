namespace OciOstree.Container;

/// <summary>Components by size, those of medium size further by how often they change. The limits are relative to the components themselves.</summary>
internal sealed class SizePartitions
{
    private const double Threshold = 2;

    internal required IReadOnlyList<SizedComponent> High { get; init; }

    internal required IReadOnlyList<SizedComponent> Low { get; init; }

    /// <summary>From often changed to rarely changed; within these large, small, medium.</summary>
    internal required IReadOnlyList<IReadOnlyList<SizedComponent>> Medium { get; init; }

    /// <summary>
    /// Outliers of size are found by the median absolute deviation, which few huge components do not shift; what is between by mean and standard
    /// deviation.
    /// </summary>
    /// <param name="components">Sorted by descending size; not empty.</param>
    /// <param name="maxHigh">Further large components count as medium.</param>
    internal static SizePartitions Divide(IReadOnlyList<SizedComponent> components, int maxHigh)
    {
        (double median, double deviation) = MedianDeviation([.. components.Select(c => (double)c.Size)]);
        double low = 0.5 * Math.Abs(median - (Threshold * deviation));
        double high = median + (Threshold * deviation);
        List<SizedComponent> large = [.. components.Where(c => c.Size >= high)];
        List<SizedComponent> small = [.. components.Where(c => c.Size < high && c.Size <= low)];
        List<SizedComponent> medium = [.. components.Where(c => c.Size < high && c.Size > low)];
        List<SizedComponent> rest = [.. large.Skip(maxHigh), .. medium];
        rest = [.. rest.OrderBy(c => c.Component.ChangeFrequency)]; // a stable sort: within a frequency the order stays that of size
        return new SizePartitions { High = [.. large.Take(maxHigh)], Low = small, Medium = DivideMedium(rest) };
    }

    private static IReadOnlyList<IReadOnlyList<SizedComponent>> DivideMedium(List<SizedComponent> components)
    {
        if (components.Count == 0)
        {
            return [];
        }

        (double lowSize, double highSize) = Limits([.. components.Select(c => (double)c.Size)]);
        (double lowFrequency, double highFrequency) = Limits([.. components.Select(c => (double)c.Component.ChangeFrequency)]);
        return
        [
            .. components.GroupBy(c => (Frequency: Rank(c.Component.ChangeFrequency, lowFrequency, highFrequency), Size: Rank(c.Size, lowSize, highSize)))
                .OrderBy(g => g.Key.Frequency)
                // large, small, medium: the order that ostree-ext's partitions have by their names
                .ThenBy(g => g.Key.Size switch { 0 => 0, 2 => 1, _ => 2 })
                .Select(g => g.ToList()),
        ];
    }

    private static int Rank(double value, double low, double high) => value >= high ? 0 : value <= low ? 2 : 1;

    private static (double Low, double High) Limits(double[] values)
    {
        double mean = values.Sum() / values.Length;
        double deviation = Math.Sqrt(values.Sum(v => (mean - v) * (mean - v)) / values.Length);
        return (0.5 * Math.Abs(mean - (Threshold * deviation)), mean + (Threshold * deviation));
    }

    private static (double Median, double Deviation) MedianDeviation(double[] values)
    {
        double median = Median(values);
        return (median, Median([.. values.Select(v => Math.Abs(v - median))]));
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        int middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
    }
}
