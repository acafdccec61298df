using System.CommandLine;
using OciOstree.Container;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container compare</c>: what one image has that another has not.</summary>
internal static class CompareCommand
{
    private const int MaxShown = 200;

    public static Command Create()
    {
        var old = Opts.Required("IMGREF_OLD", "Image reference, e.g. docker://quay.io/exampleos/exampleos:1");
        var now = Opts.Required("IMGREF_NEW", "The image to compare it with; with --repo each is taken from there, if it was pulled");
        var noPackages = Opts.Flag("--no-packages", "Compare the manifests only, and read no layers; the packages of an image without an ostree commit in it are found by reading all of them");
        var quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
        var json = Opts.Flag("--json", "Print the differences as JSON");
        var verb = new Verb(
            "compare",
            "Show what differs between two images: layers, bytes to fetch, components, and packages with their versions",
            "oci-ostree container compare docker://quay.io/example/os:1 docker://quay.io/example/os:2",
            "oci-ostree container compare --repo=/ostree/repo --json docker://quay.io/example/os:1 docker://quay.io/example/os:2")
        {
            old, now, noPackages, quiet, json,
        };
        var images = new ImageOptions().AddTo(verb);
        return verb.Does(parsed =>
        {
            var options = images.Read(parsed);
            using var repo = parsed.GetValue(Globals.Repo) is { } path ? Repo.Open(path) : null;
            using var before = LookedAtImage.Open(repo, parsed.GetValue(old)!, options, orWhereItIs: true);
            using var after = LookedAtImage.Open(repo, parsed.GetValue(now)!, options, orWhereItIs: true);
            var layers = LayerChanges.Between(before.Manifest, after.Manifest);
            var missing = layers.ToFetch(before.Config, after.Manifest, after.Config);

            IReadOnlyList<Package> oldPackages = [], newPackages = [];
            if (!parsed.GetValue(noPackages))
            {
                (oldPackages, newPackages) = TransferBars.Run(
                    progress =>
                    {
                        var read = before.ReadPackages(repo, progress);
                        return (read, before.Digest == after.Digest ? read : after.ReadPackages(repo, progress));
                    },
                    parsed.GetValue(quiet));
            }

            var packages = PackageChanges.Between(oldPackages, newPackages);
            if (parsed.GetValue(json))
            {
                Output.Json(
                    new Comparison(
                        Summary(before),
                        Summary(after),
                        new ComparedLayers(
                            layers.All.Count,
                            layers.TotalSize,
                            layers.Shared.Count,
                            layers.Shared.Sum(layer => layer.Size),
                            missing.Sum(layer => layer.Size),
                            [.. layers.Added.Select(Of(after))],
                            [.. layers.Removed.Select(Of(before))]),
                        new ComparedComponents(layers.AddedComponents, layers.RemovedComponents, layers.MovedComponents),
                        parsed.GetValue(noPackages)
                            ? null
                            : new ComparedPackages(
                                oldPackages.Count,
                                newPackages.Count,
                                [.. packages.Added.Select(ComparedPackage.From)],
                                [.. packages.Removed.Select(ComparedPackage.From)],
                                [.. packages.Updated.Select(UpdatedPackage.Of)])),
                    ComparisonJson.Default.Comparison);
                return;
            }

            LayerChangesText.Write(layers);
            Console.Out.WriteLine($"Shared layers:    {layers.Shared.Count,-4}  Size: {Output.Size(layers.Shared.Sum(layer => layer.Size))}");
            if (missing.Count < layers.Added.Count)
            {
                // The others have the same content, compressed another way, and a pull takes them from the repository.
                Console.Out.WriteLine($"To fetch:         {missing.Count,-4}  Size: {Output.Size(missing.Sum(layer => layer.Size))}");
            }

            Steps('-', layers.Removed, before);
            Steps('+', layers.Added, after);
            Names("Added components", layers.AddedComponents);
            Names("Removed components", layers.RemovedComponents);
            Names("Components in changed layers", layers.MovedComponents);
            if (!parsed.GetValue(noPackages))
            {
                Print(packages, newPackages.Count);
            }
        });
    }

    private static Func<Descriptor, ComparedLayer> Of(LookedAtImage image)
    {
        var history = HistoryOf(image);
        return layer => new ComparedLayer(layer.Digest.ToString(), layer.Size, LayerChanges.ComponentsOf(layer), history.GetValueOrDefault(layer.Digest, ""));
    }

    private static Dictionary<Digest, string> HistoryOf(LookedAtImage image) =>
        image.Manifest.Layers.Zip(ImageStore.HistoryOf(image.Config, image.Manifest)).DistinctBy(layer => layer.First.Digest).ToDictionary(layer => layer.First.Digest, layer => layer.Second);

    /// <summary>What made the layers that name no components: those of builds, where the command says most.</summary>
    private static void Steps(char sign, IReadOnlyList<Descriptor> layers, LookedAtImage image)
    {
        var history = HistoryOf(image);
        foreach (var layer in layers.Where(layer => LayerChanges.ComponentsOf(layer).Count == 0))
        {
            var step = history.GetValueOrDefault(layer.Digest, "").ReplaceLineEndings(" ");
            Console.Out.WriteLine($"  {sign} {layer.Digest.Hex[..12]}  {Output.Size(layer.Size),9}  {(step.Length <= MaxShown ? step : $"{step[..MaxShown]}…")}".TrimEnd());
        }
    }

    private static void Print(PackageChanges packages, int count)
    {
        if (packages is { Added.Count: 0, Removed.Count: 0, Updated.Count: 0 })
        {
            Console.Out.WriteLine(count == 0 ? "Packages:         no database found" : $"Packages:         the same {count}");
            return;
        }

        Console.Out.WriteLine($"Packages:         {count}, {packages.Updated.Count} updated, {packages.Added.Count} added, {packages.Removed.Count} removed");
        foreach (var update in packages.Updated)
        {
            Console.Out.WriteLine($"  {update.To.Name} {update.From.Version} -> {update.To.Version}");
        }

        foreach (var package in packages.Added)
        {
            Console.Out.WriteLine($"  + {package.Name} {package.Version}");
        }

        foreach (var package in packages.Removed)
        {
            Console.Out.WriteLine($"  - {package.Name} {package.Version}");
        }
    }

    private static void Names(string what, IReadOnlyList<string> names)
    {
        if (names.Count > 0)
        {
            Console.Out.WriteLine($"{what}: {string.Join(", ", names)}");
        }
    }

    private static ComparedImage Summary(LookedAtImage image) =>
        new(image.Name, image.Digest.ToString(), image.Config.Labels.GetValueOrDefault("org.opencontainers.image.version"), image.Config.Labels.GetValueOrDefault("ostree.commit"), image.Manifest.TotalSize);
}
