using OciOstree.Registry;

namespace OciOstree.Container.Tests.Encapsulation;

public class PackingTests
{
    private static SizedComponent Make(int id, uint frequency, long size) => new(new Component($"pkg{id}.0", $"pkg{id}", frequency), size);

    private static string Show(IEnumerable<IEnumerable<SizedComponent>> bins)
        => string.Join(" | ", bins.Select(bin => string.Join(" ", bin.Select(c => c.Component.Id["pkg".Length..]))));

    private static Manifest ManifestOf(IEnumerable<IEnumerable<SizedComponent>> bins)
    {
        Digest digest = Digest.Compute("x"u8);
        Descriptor Layer(string? names) => new(MediaTypes.OciLayerGzip, digest, 1)
        {
            Annotations = names is null ? null : new Dictionary<string, string> { [ChunkPlan.ComponentsAnnotation] = names },
        };
        return new Manifest
        {
            Config = new Descriptor(MediaTypes.OciConfig, digest, 1),
            Layers = [Layer(null), .. bins.Select(bin => Layer(string.Join(',', bin.Select(c => c.Component.Name).Order(StringComparer.Ordinal))))],
        };
    }

    /// <summary>The case that ostree-ext's own tests show: frequencies, sizes and the arrangement that they give, and how it goes on.</summary>
    [Fact]
    public void TheArrangementIsThePeers()
    {
        List<SizedComponent> first =
        [
            Make(1, Component.EveryBuild, 100000), Make(2, Component.EveryBuild, 99999), Make(3, 30, 99998), Make(4, 100, 99997), Make(10, 51, 1000),
            Make(8, 50, 500), Make(9, 1, 200), Make(11, 100000, 199), Make(6, 30, 2), Make(7, 30, 1),
        ];
        List<List<SizedComponent>> packed = Packing.Pack(first, 6);
        Assert.Equal("3.0 | 4.0 | 6.0 7.0 11.0 | 9.0 8.0 10.0 | 1.0 2.0 | ", Show(packed));

        List<SizedComponent> second = [.. first.Where(c => c.Component.Name != "pkg7"), Make(5, 42, 100000)];
        second[0] = new SizedComponent(new Component("pkg1.1", "pkg1", Component.EveryBuild), 100000);
        packed = Packing.PackAs(ManifestOf(packed), second, 6)!;
        Assert.Equal("3.0 | 4.0 | 11.0 6.0 | 10.0 8.0 9.0 | 1.1 2.0 | 5.0", Show(packed));

        List<SizedComponent> third = [.. second, Make(12, 42, 100000)];
        packed = Packing.PackAs(ManifestOf(packed), third, 6)!;
        Assert.Equal("3.0 | 4.0 | 11.0 6.0 | 10.0 8.0 9.0 | 1.1 2.0 | 5.0 12.0", Show(packed));
    }

    [Fact]
    public void FewComponentsGetTheirOwnLayers()
    {
        Assert.Empty(Packing.Pack([], 64));
        Assert.Equal("2.0 | 1.0 | ", Show(Packing.Pack([Make(2, 1, 5), Make(1, 1, 9)], 64)));
    }

    [Fact]
    public void EveryComponentIsPackedOnceWithinTheLimit()
    {
        var random = new Random(5);
        for (int round = 0; round < 400; round++)
        {
            int count = random.Next(1, 300);
            List<SizedComponent> components =
            [
                .. Enumerable.Range(0, count)
                    .Select(i => Make(i, random.Next(5) == 0 ? Component.EveryBuild : (uint)random.Next(1, 200), (long)Math.Pow(10, random.NextDouble() * random.Next(1, 9))))
                    .OrderByDescending(c => c.Size),
            ];
            if (random.Next(4) == 0)
            {
                components = [.. components.Select(c => c with { Size = 7 })];
            }

            int bins = random.Next(1, 70);
            List<List<SizedComponent>> packed = Packing.Pack(components, bins);
            Assert.InRange(packed.Count, 1, bins);
            Assert.Equal(components.Select(c => c.Component.Id).Order(), packed.SelectMany(b => b).Select(c => c.Component.Id).Order());
            if (bins >= Packing.MinBins)
            {
                Assert.Empty(packed[^1]);
            }

            List<SizedComponent> next = [.. components.Where(_ => random.Next(10) > 0), Make(1000, 1, 3), Make(1001, 1, 5)];
            List<List<SizedComponent>> again = Packing.PackAs(ManifestOf(packed), next, bins)!;
            Assert.InRange(again.Count, 1, bins);
            Assert.Equal(next.Select(c => c.Component.Id).Order(), again.SelectMany(b => b).Select(c => c.Component.Id).Order());
        }
    }

    [Fact]
    public void AnUnusableEarlierBuildIsNoticed()
    {
        List<SizedComponent> components = [Make(1, 1, 1), Make(2, 1, 1), Make(3, 1, 1)];
        Assert.Null(Packing.PackAs(ManifestOf([]), components, 10));
        Assert.Null(Packing.PackAs(ManifestOf(components.Select(c => new[] { c })), components, 2));
        Manifest derived = ManifestOf([[components[0], components[1]], []]);
        derived = derived with { Layers = [.. derived.Layers, new Descriptor(MediaTypes.OciLayerGzip, Digest.Compute("y"u8), 1)] };
        Assert.Equal("1.0 2.0 | 3.0", Show(Packing.PackAs(derived, components, 10)!));
    }

    [Fact]
    public void ComponentsOfOneNameStayTogether()
    {
        SizedComponent a = new(new Component("pkg1.0", "same", 1), 1);
        SizedComponent b = new(new Component("pkg2.0", "same", 1), 1);
        Assert.Equal("1.0 2.0 | 3.0", Show(Packing.PackAs(ManifestOf([[a], [b]]), [a, b, Make(3, 1, 1)], 4)!));
    }
}
