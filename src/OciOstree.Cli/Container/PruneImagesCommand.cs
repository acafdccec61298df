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
        var verb = new Verb("prune-images", "Garbage collect unreferenced images", "oci-ostree container image prune-images --sysroot=/ --full") { sysrootPath, andLayers, full };
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
            if (parsed.GetValue(full))
            {
                var layers = store.PruneLayers();
                var pruned = sysroot.Repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 });
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
                return;
            }

            foreach (var image in removed)
            {
                Console.Out.WriteLine($"Removed: {image}");
            }

            if (parsed.GetValue(andLayers))
            {
                Console.Out.WriteLine($"Removed layers: {store.PruneLayers()}");
            }
        });
    }
}
