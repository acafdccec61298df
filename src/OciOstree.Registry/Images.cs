using OciOstree.Registry.Engines;
using OciOstree.Registry.Transports;

namespace OciOstree.Registry;

/// <summary>Opens images wherever they live.</summary>
public static class Images
{
    /// <exception cref="RegistryException">The place cannot be read.</exception>
    public static IImageSource OpenSource(ImageReference reference, RegistryOptions? options = null) => reference.Transport switch
    {
        Transport.Registry => RegistrySource.Open(reference, options ?? new()),
        Transport.Oci => OciSource.Open(reference, options ?? new()),
        Transport.OciArchive => OciArchiveSource.Open(reference, options ?? new()),
        Transport.Dir => new DirSource(reference, options ?? new()),
        Transport.DockerArchive => DockerArchiveSource.Open(reference, options ?? new()),
        Transport.DockerDaemon => DockerDaemon.OpenSource(reference, options ?? new()),
        Transport.ContainersStorage => ContainersStorage.OpenSource(reference, options ?? new()),
        _ => throw new ArgumentOutOfRangeException(nameof(reference)),
    };

    /// <exception cref="RegistryException">The place cannot be written.</exception>
    public static IImageDestination OpenDestination(ImageReference reference, RegistryOptions? options = null) => reference.Transport switch
    {
        Transport.Registry => RegistryDestination.Open(reference, options ?? new()),
        Transport.Oci => OciDestination.Open(reference),
        Transport.OciArchive => OciArchiveDestination.Open(reference),
        Transport.Dir => new DirDestination(reference),
        Transport.DockerArchive => DockerArchiveDestination.Open(reference),
        Transport.DockerDaemon => DockerDaemon.OpenDestination(reference, options ?? new()),
        Transport.ContainersStorage => ContainersStorage.OpenDestination(reference, options ?? new()),
        _ => throw new ArgumentOutOfRangeException(nameof(reference)),
    };

    /// <summary>Copies an image from anywhere to anywhere. Blobs and manifests are byte for byte the same wherever the destination can hold them so.</summary>
    /// <exception cref="RegistryException">It names what was being copied, and why that failed.</exception>
    public static CopyResult Copy(
        ImageReference source,
        ImageReference destination,
        CopyOptions? options = null,
        RegistryOptions? sourceOptions = null,
        RegistryOptions? destinationOptions = null,
        ITransferProgress? progress = null,
        CancellationToken cancellationToken = default)
    {
        try
        {
            using var from = OpenSource(source, sourceOptions);
            using var to = OpenDestination(destination, destinationOptions);
            var digest = new ImageCopy(from, to, options ?? new(), progress ?? TransferProgress.None).Run(sourceOptions?.Platform, cancellationToken);
            return new CopyResult(digest, to.BytesSent, to.BytesSkipped);
        }
        catch (RegistryException e)
        {
            throw new RegistryException($"copying {source} to {destination}", e);
        }
    }
}
