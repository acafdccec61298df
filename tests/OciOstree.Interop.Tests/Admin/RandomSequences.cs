using System.Globalization;

namespace OciOstree.Interop.Tests.Admin;

/// <summary>Where tests that the same seed makes the same begin.</summary>
public static class RandomSequences
{
    /// <summary>The first few, which every run can afford; <c>OCI_OSTREE_SEQUENCES</c> asks for more.</summary>
    public static TheoryData<int> Seeds()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("OCI_OSTREE_SEQUENCES"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked) ? asked : 4;
        var seeds = new TheoryData<int>();
        for (int seed = 1; seed <= count; seed++)
        {
            seeds.Add(seed);
        }
        return seeds;
    }
}
