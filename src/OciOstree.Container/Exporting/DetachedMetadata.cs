using OciOstree.Formats.Compression;
using OciOstree.Formats.GVariant;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>Replaces the detached metadata (signatures, most often) of the commit in an image. All other layers stay the same blobs.</summary>
public static class DetachedMetadata
{
    /// <summary>Copies an image with other detached metadata.</summary>
    /// <param name="metadata">A serialised <c>a{sv}</c>; null removes what there is.</param>
    /// <returns>The digest of the new manifest.</returns>
    /// <exception cref="ContainerException">The image has no commit, or the metadata is none.</exception>
    /// <exception cref="RegistryException">A place cannot be reached, or refuses.</exception>
    public static Digest Replace(IImageSource source, IImageDestination destination, byte[]? metadata, Platform? platform = null, ITransferProgress? progress = null, CancellationToken cancellationToken = default)
    {
        progress ??= TransferProgress.None;
        if (metadata is not null)
        {
            Check(metadata);
        }

        var fetched = source.FetchManifest(platform, cancellationToken);
        var (manifest, config) = (fetched.Manifest, source.FetchConfig(fetched.Manifest, cancellationToken));
        if (!ManifestLayout.Parse(manifest, config).HasCommit)
        {
            throw new ContainerException($"no {ImageLabels.FinalDiffId} label found, not an ostree encapsulated container");
        }

        progress.Expect(manifest.Layers.Count, manifest.Layers.Sum(layer => layer.Size));
        var (layer, diffId) = Rewrite(source, manifest.Layers[0], destination, metadata, progress, cancellationToken);
        foreach (var other in manifest.Layers.Skip(1).DistinctBy(other => other.Digest))
        {
            using var item = progress.Begin(other.Digest.Hex[..12], other.Size);
            destination.PutBlob(other, () => source.OpenBlob(other, item, cancellationToken), cancellationToken);
        }

        // Where the commit has one layer, that is also its last.
        var old = config.DiffIds[0].ToString();
        IReadOnlyDictionary<string, string>? Renamed(IReadOnlyDictionary<string, string>? labels) => labels?.GetValueOrDefault(ImageLabels.FinalDiffId) == old
            ? new SortedDictionary<string, string>(labels.ToDictionary(), StringComparer.Ordinal) { [ImageLabels.FinalDiffId] = diffId.ToString() }
            : labels;
        var configBytes = (config with
        {
            DiffIds = [diffId, .. config.DiffIds.Skip(1)],
            Config = config.Config is { } container ? container with { Labels = Renamed(container.Labels) } : null,
        }).Serialize();
        var configDescriptor = manifest.Config with { Digest = Digest.Compute(configBytes), Size = configBytes.Length };
        destination.PutBlob(configDescriptor, () => new MemoryStream(configBytes, writable: false), cancellationToken);
        var manifestBytes = (manifest with { Config = configDescriptor, Layers = [layer, .. manifest.Layers.Skip(1)], Annotations = Renamed(manifest.Annotations) }).Serialize();
        destination.PutManifest(manifestBytes, manifest.MediaType, cancellationToken: cancellationToken);
        destination.Finish(cancellationToken);
        return Digest.Compute(manifestBytes);
    }

    private static void Check(byte[] metadata)
    {
        try
        {
            if (Variant.FromBytes("a{sv}", metadata).IsNormalForm())
            {
                return;
            }
        }
        catch (VariantException e)
        {
            throw new ContainerException("the detached metadata is no a{sv} in GVariant's serialisation", e);
        }

        throw new ContainerException("the detached metadata is no a{sv} in GVariant's normal form");
    }

    private static (Descriptor Layer, Digest DiffId) Rewrite(IImageSource source, Descriptor layer, IImageDestination destination, byte[]? metadata, ITransferProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            using var item = progress.Begin(layer.Digest.Hex[..12], layer.Size);
            using var blob = source.OpenBlob(layer, item, cancellationToken);
            using var buffered = new BufferedStream(blob, 256 << 10);
            using var content = Decompressor.Open(buffered, leaveOpen: true);
            using var written = destination.CreateBlob();
            using var sink = new LayerSink(written, LayerJob.CompressionOf(layer.MediaType), 0);
            DetachedMetadataLayer.Rewrite(content, sink, metadata);

            // To its end: only then is the blob known to be the right one.
            content.CopyTo(Stream.Null);
            buffered.CopyTo(Stream.Null);
            var diffId = sink.Finish();
            return (written.Complete(layer.MediaType, cancellationToken) with { Annotations = layer.Annotations }, diffId);
        }
        catch (Exception e) when (e is FormatException or EndOfStreamException or ContainerException)
        {
            throw new ContainerException($"Rewriting layer {layer.Digest}", e);
        }
    }
}
