using OciOstree.Registry.Transports;

namespace OciOstree.Registry;

/// <summary>Moves one image: its blobs by several threads, then its manifests.</summary>
internal sealed class ImageCopy(IImageSource source, IImageDestination destination, CopyOptions options, ITransferProgress progress)
{
    /// <summary>The digest of what was written.</summary>
    internal Digest Run(Platform? platform, CancellationToken cancellationToken)
    {
        if (destination is RegistryDestination registry && source is RegistrySource from)
        {
            registry.MountFrom = () => from.ServingEndpoint;
        }

        Digest digest;
        var raw = options.AllPlatforms ? source.FetchRawManifest(null, cancellationToken) : null;
        if (raw is not null && MediaTypes.IsIndex(raw.MediaType))
        {
            digest = CopyIndex(raw, cancellationToken);
        }
        else
        {
            var fetched = source.FetchManifest(platform, cancellationToken);
            digest = CopyImage(new RawManifest(fetched.Bytes, fetched.MediaType, fetched.Digest), instance: false, cancellationToken).Digest;
        }

        destination.Finish(cancellationToken);
        return digest;
    }

    private Digest CopyIndex(RawManifest raw, CancellationToken cancellationToken)
    {
        var index = ImageIndex.Parse(raw.Bytes);
        var changed = false;
        var entries = new List<Descriptor>();
        foreach (var entry in index.Manifests)
        {
            var instance = source.FetchRawManifest(entry.Digest, cancellationToken);
            if (!MediaTypes.IsManifest(instance.MediaType))
            {
                throw new RegistryException($"{entry.Digest} in the index of {source.Reference} is no image");
            }

            var copied = CopyImage(instance, instance: true, cancellationToken);
            changed |= copied.Digest != entry.Digest;
            entries.Add(entry with { Digest = copied.Digest, Size = copied.Bytes.Length, MediaType = copied.MediaType });
        }

        var type = DestinationType(raw.MediaType);
        var bytes = changed || type != raw.MediaType ? (index with { MediaType = type, Manifests = entries }).Serialize() : raw.Bytes;
        destination.PutManifest(bytes, type, cancellationToken: cancellationToken);
        return Digest.Compute(bytes.Span);
    }

    private RawManifest CopyImage(RawManifest raw, bool instance, CancellationToken cancellationToken)
    {
        var manifest = Manifest.Parse(raw.Bytes) with { MediaType = raw.MediaType };
        var blobs = manifest.Layers.Where(l => !IsForeign(l)).Append(manifest.Config).DistinctBy(b => b.Digest).ToList();
        progress.Expect(blobs.Count, blobs.Sum(blob => blob.Size));
        Workers.ForEach(blobs, options.Parallelism, cancellationToken, CopyBlob);

        var result = raw;
        if (DestinationType(raw.MediaType) is var type && type != raw.MediaType)
        {
            var converted = (manifest with
            {
                MediaType = type,
                Config = Converted(manifest.Config),
                Layers = [.. manifest.Layers.Select(Converted)],
            }).Serialize();
            result = new RawManifest(converted, type, Digest.Compute(converted));
        }

        destination.PutManifest(result.Bytes, result.MediaType, instance, cancellationToken);
        return result;
    }

    private void CopyBlob(Descriptor blob, CancellationToken cancellationToken)
    {
        using var item = progress.Begin(blob.Digest.Hex[..12], blob.Size);
        destination.PutBlob(blob, () => source.OpenBlob(blob, item, cancellationToken), cancellationToken);
    }

    /// <summary>A layout holds OCI media types only; the config's and the layers' bytes mean the same in both worlds.</summary>
    private string DestinationType(string mediaType) =>
        destination.Reference.Transport is Transport.Oci or Transport.OciArchive or Transport.ContainersStorage ? MediaTypes.ToOci(mediaType) : mediaType;

    private static Descriptor Converted(Descriptor descriptor) => descriptor with { MediaType = MediaTypes.ToOci(descriptor.MediaType) };

    /// <summary>Layers that their licence keeps out of registries: they are had from elsewhere.</summary>
    private static bool IsForeign(Descriptor layer) =>
        layer.Urls is { Count: > 0 } && (layer.MediaType.Contains("nondistributable", StringComparison.Ordinal) || layer.MediaType.Contains("foreign", StringComparison.Ordinal));
}
