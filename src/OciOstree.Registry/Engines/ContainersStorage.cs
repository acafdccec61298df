using OciOstree.Registry.Transports;

namespace OciOstree.Registry.Engines;

/// <summary>
/// <c>containers-storage:</c>: podman's and buildah's local images. Their store is private to them, so skopeo or podman moves
/// the image, as an OCI archive in a directory that is gone afterwards.
/// </summary>
internal static class ContainersStorage
{
    internal static IImageSource OpenSource(ImageReference reference, RegistryOptions options)
    {
        var directory = MakeDirectory(options);
        try
        {
            var path = Path.Combine(directory.FullName, "image.tar");
            EngineProgram.RunFirst(
                "reading the local image store",
                CancellationToken.None,
                ["skopeo", "copy", "--quiet", reference.ToString(), "oci-archive:" + path],
                ["podman", "image", "save", "--quiet", "--format", "oci-archive", "--output", path, reference.Name]);

            // Open files need no name, and nobody has to remember to remove this one.
            return OciArchiveSource.Over(reference, options, ArchiveFile.Open(path, options));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    internal static IImageDestination OpenDestination(ImageReference reference, RegistryOptions options)
    {
        var directory = MakeDirectory(options);
        return new Destination(reference, directory, OciArchiveDestination.Open(new ImageReference(Transport.OciArchive, Path.Combine(directory.FullName, "image.tar"))));
    }

    private static DirectoryInfo MakeDirectory(RegistryOptions options)
    {
        var path = Path.Combine(options.TemporaryDirectory, $"oci-ostree-{Guid.NewGuid():N}");
        PlainFile.MakeDirectory(path);
        return new DirectoryInfo(path);
    }

    private sealed class Destination(ImageReference reference, DirectoryInfo directory, IImageDestination archive) : IImageDestination
    {
        public ImageReference Reference => reference;

        public long BytesSent => archive.BytesSent;

        public long BytesSkipped => archive.BytesSkipped;

        public bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default) => archive.HasBlob(digest, size, cancellationToken);

        public BlobWriter CreateBlob() => archive.CreateBlob();

        public void PutBlob(Descriptor descriptor, Func<Stream> open, CancellationToken cancellationToken = default) =>
            archive.PutBlob(descriptor, open, cancellationToken);

        public void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default) =>
            archive.PutManifest(bytes, mediaType, instance, cancellationToken);

        public void Finish(CancellationToken cancellationToken = default)
        {
            archive.Finish(cancellationToken);
            EngineProgram.RunFirst(
                "writing the local image store",
                cancellationToken,
                ["skopeo", "copy", "--quiet", archive.Reference.ToString(), reference.ToString()]);
        }

        public void Dispose()
        {
            archive.Dispose();
            directory.Delete(recursive: true);
        }
    }
}
