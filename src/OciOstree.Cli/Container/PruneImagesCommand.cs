using System.CommandLine;
using OciOstree.Container;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Container;

/// <summary><c>container image prune-images</c>: forgets the images that no deployment follows.</summary>
internal static class PruneImagesCommand
{
    public static Command Create()
    {
        var sysrootPath = Opts.Value("--sysroot", "PATH", "Path to the system root");
        var andLayers = Opts.Flag("--and-layers", "Also prune layers");
        var full = Opts.Flag("--full", "Also prune layers and OSTree objects");
        var json = Opts.Flag("--json", "Print what was removed as JSON");
        var verb = new Verb(
            "prune-images",
            "Garbage collect images that no deployment follows; deployed, pinned and base images keep their layers",
            "oci-ostree container image prune-images --sysroot=/ --and-layers",
            "oci-ostree container image prune-images --full --json")
        {
            sysrootPath, andLayers, full, json,
        };
        return verb.Does(parsed =>
        {
            if (parsed.GetValue(andLayers) && parsed.GetValue(full))
            {
                throw new UsageException("--full includes --and-layers");
            }

            string root = parsed.GetValue(sysrootPath) ?? Sysroot.Sysroot.DefaultPath;
            BootedSystem.MakeWritable(root);
            using var sysroot = SysrootAt.Open(root, new SysrootOptions());
            var removed = ContainerDeploy.RemoveUndeployedImages(sysroot);
            var store = new ImageStore(sysroot.Repo);
            int? layers = parsed.GetValue(full) || parsed.GetValue(andLayers) ? store.PruneLayers() : null;
            PruneResult? objects = parsed.GetValue(full) ? sysroot.Repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 }) : null;
            if (parsed.GetValue(json))
            {
                Output.Json(new PrunedImages([.. removed.Select(image => image.ToString())], layers, objects?.ObjectsPruned, objects?.BytesFreed), ImageJsonContext.Default.PrunedImages);
                return;
            }

            if (objects is { } pruned)
            {
                if (removed.Count == 0 && layers == 0 && pruned.ObjectsPruned == 0)
                {
                    Console.Out.WriteLine("No content was pruned.");
                    return;
                }

                Console.Out.WriteLine($"Removed images: {removed.Count}");
                Console.Out.WriteLine($"Removed layers: {layers}");
                Console.Out.WriteLine($"Removed objects: {pruned.ObjectsPruned}");
                Console.Out.WriteLine($"Freed: {Output.Size(pruned.BytesFreed)}");
                return;
            }

            if (removed.Count == 0)
            {
                Console.Out.WriteLine("No unreferenced images.");
            }

            foreach (var image in removed)
            {
                Console.Out.WriteLine($"Removed: {image}");
            }

            // Layers may be left of images that are gone already; the peer would leave them.
            if (layers > 0 || (layers is not null && removed.Count > 0))
            {
                Console.Out.WriteLine($"Removed layers: {layers}");
            }
        });
    }
}
