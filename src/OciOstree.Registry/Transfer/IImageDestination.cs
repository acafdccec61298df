namespace OciOstree.Registry;

/// <summary>
/// Writes one image: its blobs in any order and from several threads at once, then its manifest, then <see cref="Finish"/>.
/// Nothing becomes visible under the image's name before that, and nothing needs to be undone if it is disposed without.
/// </summary>
public interface IImageDestination : IDisposable
{
    ImageReference Reference { get; }

    /// <summary>Bytes of blobs that were written or sent.</summary>
    long BytesSent { get; }

    /// <summary>Bytes of blobs that were there already.</summary>
    long BytesSkipped { get; }

    /// <summary>Whether the blob is there already (then it need not be written).</summary>
    bool HasBlob(Digest digest, long size, CancellationToken cancellationToken = default);

    /// <summary>A blob whose digest is not known yet.</summary>
    BlobWriter CreateBlob();

    /// <summary>
    /// A blob whose digest is known; skipped if it is there already. <paramref name="open"/> may be called again for a
    /// retry, and its content is verified against the descriptor.
    /// </summary>
    void PutBlob(Descriptor descriptor, Func<Stream> open, CancellationToken cancellationToken = default);

    /// <summary>
    /// A manifest or an index. Without <paramref name="instance"/> it is the image; with it, it is one of an index's
    /// manifests and gets no name of its own.
    /// </summary>
    void PutManifest(ReadOnlyMemory<byte> bytes, string mediaType, bool instance = false, CancellationToken cancellationToken = default);

    /// <summary>Makes the image visible under its name, durably.</summary>
    void Finish(CancellationToken cancellationToken = default);
}
