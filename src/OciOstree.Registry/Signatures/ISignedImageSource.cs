namespace OciOstree.Registry;

/// <summary>A place that may keep signatures beside its images.</summary>
public interface ISignedImageSource : IImageSource
{
    /// <summary>The signatures of a manifest that was read from here before.</summary>
    /// <param name="manifest">The SHA-256 of the manifest or index, which the caller knows to be right.</param>
    /// <param name="isInstance">Whether it was chosen from an index, instead of being what the name leads to.</param>
    /// <exception cref="RegistryException">They cannot be read, or what is there are no signatures: that is more than that there are none.</exception>
    ImageSignatures FetchSignatures(Digest manifest, bool isInstance, CancellationToken cancellationToken = default);
}
