using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>The secret keys that something new is signed with.</summary>
/// <param name="Signers">Keys of ostree's own kinds.</param>
/// <param name="Gpg">OpenPGP keys.</param>
public sealed record SigningKeys(IReadOnlyList<Signer> Signers, IReadOnlyList<GpgSigner> Gpg)
{
    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => Signers.Count == 0 && Gpg.Count == 0;

    /// <summary>Metadata with a signature by each key added; what it was if there are none.</summary>
    /// <param name="metadata">An <c>a{sv}</c>; null is an empty one.</param>
    /// <exception cref="RepositoryException">A key does not sign, or is named twice.</exception>
    public Variant? AddTo(Variant? metadata, byte[] data)
    {
        foreach (Signer signer in Signers)
            metadata = signer.AddTo(metadata, data);
        foreach (GpgSigner signer in Gpg)
            metadata = signer.AddTo(metadata, data, onlyOnce: true);
        return metadata;
    }
}
