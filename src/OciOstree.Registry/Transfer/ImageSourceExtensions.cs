namespace OciOstree.Registry;

/// <summary>What can be said of every image source.</summary>
public static class ImageSourceExtensions
{
    /// <summary>The whole of a small blob, verified.</summary>
    /// <param name="limit">The largest size accepted, in bytes; checked before anything is read.</param>
    public static byte[] ReadBlob(this IImageSource source, Descriptor descriptor, int limit = Manifest.SizeLimit, CancellationToken cancellationToken = default)
    {
        if (descriptor.Size > limit)
        {
            throw new RegistryException($"blob {descriptor.Digest} of {descriptor.Size} bytes exceeds the limit of {limit}");
        }

        using var stream = source.OpenBlob(descriptor, cancellationToken);
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    }

    /// <summary>The image's configuration, verified and parsed.</summary>
    public static ImageConfig FetchConfig(this IImageSource source, Manifest manifest, CancellationToken cancellationToken = default) =>
        ImageConfig.Parse(source.ReadBlob(manifest.Config, cancellationToken: cancellationToken));

    /// <summary>A blob as <see cref="IImageSource.OpenBlob(Descriptor, CancellationToken)"/> gives it, whose bytes an item is told of as they pass.</summary>
    public static Stream OpenBlob(this IImageSource source, Descriptor descriptor, ITransferItem item, CancellationToken cancellationToken = default) =>
        source.OpenBlob(descriptor, cancellationToken) is var stream && stream is VerifyingStream verifying
            ? verifying.Observed(item)
            : new ProgressStream(stream, item);
}
