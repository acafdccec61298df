namespace OciOstree.Registry;

/// <summary>What all sources share: from bytes to a manifest, through indexes.</summary>
internal abstract class ImageSource(ImageReference reference, RegistryOptions options) : IImageSource
{
    /// <summary>An index in an index in an index is somebody's joke.</summary>
    private const int IndexDepthLimit = 3;

    public ImageReference Reference => reference;

    protected RegistryOptions Options => options;

    public FetchedManifest FetchManifest(Platform? platform = null, CancellationToken cancellationToken = default)
    {
        platform ??= options.Platform ?? Platform.Current;
        try
        {
            var raw = FetchRawManifest(null, cancellationToken);
            Digest? indexDigest = null;
            for (var depth = 0; MediaTypes.IsIndex(raw.MediaType); depth++)
            {
                if (depth == IndexDepthLimit)
                {
                    throw new RegistryException("image indexes are nested too deeply");
                }

                indexDigest ??= raw.Digest;
                raw = FetchSelected(ImageIndex.Parse(raw.Bytes), platform, cancellationToken);
            }

            return new FetchedManifest(raw.Bytes, raw.MediaType, raw.Digest, Manifest.Parse(raw.Bytes) with { MediaType = raw.MediaType }, indexDigest);
        }
        catch (RegistryException e)
        {
            throw new RegistryException($"reading the manifest of {reference}", e);
        }
    }

    public abstract RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default);

    public abstract Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default);

    // From a file, nothing is saved by keeping a part of it.
    public virtual Stream OpenBlob(Descriptor descriptor, PartialBlobs partial, CancellationToken cancellationToken = default) => OpenBlob(descriptor, cancellationToken);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Wraps bytes that should have this digest.</summary>
    protected static RawManifest Verified(ReadOnlyMemory<byte> bytes, Digest digest, string? told)
    {
        if (!digest.Matches(bytes.Span))
        {
            throw new RegistryException($"manifest {digest} does not have this digest: it is corrupt or not what was asked for");
        }

        return new RawManifest(bytes, ManifestKind.Detect(bytes, told), digest);
    }

    private RawManifest FetchSelected(ImageIndex index, Platform platform, CancellationToken cancellationToken)
    {
        var chosen = index.Select(platform);
        if (chosen is null)
        {
            var offered = index.Manifests.Where(m => m.Platform is not null).Select(m => m.Platform!.ToString()).Distinct().Take(12);
            throw new RegistryException($"no image for {platform} (there is {Printable.Clip(string.Join(", ", offered))})");
        }

        var raw = FetchRawManifest(chosen.Digest, cancellationToken);
        return raw.Bytes.Length == chosen.Size
            ? raw
            : throw new RegistryException($"manifest {chosen.Digest} has {raw.Bytes.Length} bytes, its index says {chosen.Size}");
    }
}
