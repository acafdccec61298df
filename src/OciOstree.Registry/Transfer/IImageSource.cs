namespace OciOstree.Registry;

/// <summary>Reads one image from where it lives. Blobs may be read from several threads at once.</summary>
public interface IImageSource : IDisposable
{
    /// <summary>As it was asked for.</summary>
    ImageReference Reference { get; }

    /// <summary>
    /// The image's manifest, its bytes verified against the digest that asked for them. An index is resolved for
    /// <paramref name="platform"/>, this machine's if null.
    /// </summary>
    /// <exception cref="RegistryException">There is no such image, or not for this platform, or it cannot be had or believed.</exception>
    FetchedManifest FetchManifest(Platform? platform = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// The raw bytes of a manifest or an index: of the image as named (null), or by digest. The digest is verified; what
    /// they mean is not looked at.
    /// </summary>
    RawManifest FetchRawManifest(Digest? digest = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// A blob as stored. The stream verifies as it is read: it throws <see cref="RegistryException"/> in place of the end if
    /// size or digest are not as described, and a blob is to be believed only once it has returned 0. From a registry it
    /// resumes after a broken connection.
    /// </summary>
    Stream OpenBlob(Descriptor descriptor, CancellationToken cancellationToken = default);

    /// <summary>
    /// The same, with what comes over a network kept in <paramref name="partial"/>: what is there already is not fetched again. What turns out to be no part of the
    /// blob is removed from there; a whole blob stays until the caller removes it.
    /// </summary>
    Stream OpenBlob(Descriptor descriptor, PartialBlobs partial, CancellationToken cancellationToken = default);
}
