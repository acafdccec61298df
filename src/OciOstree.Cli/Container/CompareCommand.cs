using System.CommandLine;
using OciOstree.Container;
using OciOstree.Repository;

namespace OciOstree.Cli.Container;

/// <summary><c>container compare</c>: what one image has that another has not.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var old = Opts.Required("IMGREF_OLD", "Image reference, e.g. docker://quay.io/exampleos/exampleos:1");
        var now = Opts.Required("IMGREF_NEW", "The image to compare it with");
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
            using var before = LookedAtImage.Open(repo, parsed.GetValue(old)!, options);
            using var after = LookedAtImage.Open(repo, parsed.GetValue(now)!, options);
            var layers = LayerChanges.Between(before.Manifest, after.Manifest);

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
                            layers.Added.Sum(layer => layer.Size),
                            [.. layers.Added.Select(ComparedLayer.From)],
                            [.. layers.Removed.Select(ComparedLayer.From)]),
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
            Names("Added components", layers.AddedComponents);
            Names("Removed components", layers.RemovedComponents);
            Names("Components in changed layers", layers.MovedComponents);
            if (!parsed.GetValue(noPackages))
            {
                Print(packages, newPackages.Count);
            }
        });
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
