using System.Text;
using OciOstree.Formats.Compression;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Makes the image again that an imported one came from, layer by layer: those of the commit with the same objects as before, derived ones from what was kept
/// of them. Layers of the commit come out with the diff ids that they had, and, if it was we who made them, with their digests.
/// </summary>
public static class Reexport
{
    /// <summary>Writes a stored image to a destination; nothing is visible there if this fails.</summary>
    /// <returns>The digest of the manifest.</returns>
    /// <exception cref="ContainerException">There is no such image, or not all of it.</exception>
    /// <exception cref="RegistryException">The destination refused something.</exception>
    public static Digest Run(Repo repo, ImageReference image, IImageDestination destination, ReexportOptions? options = null, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new ReexportOptions();
        var stored = new ImageStore(repo).Require(image);
        try
        {
            var layout = ManifestLayout.Parse(stored.Manifest, stored.Config);
            // One way for all layers: images do not mix them, but for builds on a base, where either will do.
            var compression = LayerJob.CompressionOf(stored.Manifest.Layers[0].MediaType);
            List<LayerJob> jobs = [.. JobsOf(repo, stored, layout, cancellationToken)];
            var layers = LayerJob.Run(jobs, destination, options.CompressFast ? CompressionKind.Gzip : compression, options.CompressFast ? 1 : 0, options.Threads, progress ?? TransferProgress.None, cancellationToken);

            var config = ConfigOf(stored, layout, layers);
            var configDescriptor = new Descriptor(MediaTypes.OciConfig, Digest.Compute(config), config.Length);
            destination.PutBlob(configDescriptor, () => new MemoryStream(config, writable: false), cancellationToken);
            var manifest = ManifestOf(stored, layout, layers, configDescriptor);
            destination.PutManifest(manifest, MediaTypes.OciManifest, cancellationToken: cancellationToken);
            destination.Finish(cancellationToken);
            return Digest.Compute(manifest);
        }
        catch (Exception e) when (e is ContainerException or RepositoryException)
        {
            throw new ContainerException($"Exporting {image}", e);
        }
    }

    private static IEnumerable<LayerJob> JobsOf(Repo repo, ImportedImage stored, ManifestLayout layout, CancellationToken cancellationToken)
    {
        var history = ImageStore.HistoryOf(stored.Config, stored.Manifest);
        CommitContent? content = layout.HasCommit ? CommitContent.Read(repo, stored.BaseCommit!.Value, cancellationToken) : null;
        var chunks = new List<ContentObject>?[layout.Layers.Count];
        HashSet<Checksum> chunked = [];
        for (var index = 0; index < chunks.Length; index++)
        {
            if (layout.Layers[index].Kind == LayerKind.Chunk)
            {
                chunks[index] = ObjectsOf(repo, CommitOf(repo, layout.Layers[index].Descriptor), content!);
                chunked.UnionWith(chunks[index]!.Select(item => item.Checksum));
            }
        }

        for (var index = 0; index < layout.Layers.Count; index++)
        {
            var (descriptor, _, kind) = layout.Layers[index];
            var objects = kind == LayerKind.Commit ? [.. content!.Objects.Where(item => !chunked.Contains(item.Checksum))] : chunks[index] ?? [];
            yield return kind switch
            {
                LayerKind.Derived => DerivedLayerWriter.JobOf(repo, CommitOf(repo, descriptor), history[index], descriptor),
                _ => LayerJob.Of(repo, stored.BaseCommit!.Value, new Chunk(history[index], [], objects), isBase: kind == LayerKind.Commit) with { Annotations = descriptor.Annotations },
            };
        }
    }

    private static Checksum CommitOf(Repo repo, Descriptor layer) =>
        repo.ResolveRef(ImageRefs.ForLayer(layer.Digest)) ?? throw new ContainerException($"layer {layer.Digest} is not in the repository any more");

    private static List<ContentObject> ObjectsOf(Repo repo, Checksum layer, CommitContent content)
    {
        List<ContentObject> objects = [.. repo.ReadDirTree(repo.ReadCommit(layer).RootTree).Files.Select(file =>
            content.Find(file.Checksum) ?? throw new ContainerException($"the layer's object {file.Checksum} is not in the commit"))];
        objects.Sort((a, b) => a.Checksum.CompareTo(b.Checksum));
        return objects;
    }

    // The store has a configuration's values, not its bytes: where one of the usual spellings gives the digest that it had, that is it.
    private static byte[] ConfigOf(ImportedImage stored, ManifestLayout layout, EncapsulatedLayer[] layers)
    {
        var config = stored.Config;
        byte[] canonical = Encoding.UTF8.GetBytes(stored.ConfigJson), ours = config.Serialize();
        if (layers.Select(layer => layer.DiffId).SequenceEqual(config.DiffIds))
        {
            return Digest.Compute(canonical) == stored.Manifest.Config.Digest ? canonical : ours;
        }

        return (config with { DiffIds = [.. layers.Select(layer => layer.DiffId)], Config = WithFinal(config.Config, layout, layers) }).Serialize();
    }

    private static ContainerConfig? WithFinal(ContainerConfig? config, ManifestLayout layout, EncapsulatedLayer[] layers) =>
        layout.HasCommit && config is not null ? config with { Labels = WithFinal(config.Labels, layout, layers) } : config;

    private static IReadOnlyDictionary<string, string>? WithFinal(IReadOnlyDictionary<string, string>? labels, ManifestLayout layout, EncapsulatedLayer[] layers)
    {
        if (labels is null || !labels.ContainsKey(ImageLabels.FinalDiffId))
        {
            return labels;
        }

        var last = layout.Layers.Count(layer => layer.Kind != LayerKind.Derived) - 1;
        return new SortedDictionary<string, string>(labels.ToDictionary(), StringComparer.Ordinal) { [ImageLabels.FinalDiffId] = layers[last].DiffId.ToString() };
    }

    private static byte[] ManifestOf(ImportedImage stored, ManifestLayout layout, EncapsulatedLayer[] layers, Descriptor config)
    {
        var manifest = stored.Manifest with
        {
            MediaType = MediaTypes.OciManifest,
            Config = config,
            Layers = [.. layers.Select(layer => layer.Blob)],
            Annotations = WithFinal(stored.Manifest.Annotations, layout, layers),
        };
        var canonical = Encoding.UTF8.GetBytes(stored.ManifestJson);
        return Digest.Compute(canonical) == stored.ManifestDigest && manifest.Layers.Select(layer => layer.Digest).SequenceEqual(stored.Manifest.Layers.Select(layer => layer.Digest)) && config.Digest == stored.Manifest.Config.Digest
            ? canonical
            : manifest.Serialize();
    }
}
