using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>An image must be signed by one of these keys, for a name that is its own.</summary>
internal abstract record SignatureRequirement(string Type, PolicyKeys Keys, SignedIdentity Identity) : PolicyRequirement(Type)
{
    /// <summary>Whether a signature is of the kind that this is about.</summary>
    internal abstract bool Concerns(ImageSignature signature);

    /// <summary>Passes if the signature is good, by an accepted key, of this manifest and for a name that is accepted.</summary>
    /// <param name="manifest">The SHA-256 of the image's manifest.</param>
    /// <param name="image">The name by which the image is asked for; null where it has none.</param>
    /// <returns>Who signed what, for people.</returns>
    /// <exception cref="ContainerException">It does not: why.</exception>
    internal string Verify(ImageSignature signature, Digest manifest, RegistryName? image)
    {
        var (document, who) = Authenticate(signature);
        var signed = SignedPayload.Parse(document, DocumentType);
        if (signed.Manifest != manifest)
        {
            throw new ContainerException($"it is a signature of {signed.Manifest}, and the image is {manifest}");
        }

        var name = StrictJson.Show(signed.DockerReference);
        return Identity.Accepts(image, signed.DockerReference)
            ? $"Signature for {name}: {who}"
            : throw new ContainerException($"it is a signature for {name}, which {Identity} does not accept for {(object?)image ?? "an image that has no name in a registry"}{Advice(image, signed.DockerReference)}");
    }

    // The most common reason by far.
    private static string Advice(RegistryName? image, string signed) =>
        image is not null && signed == image.Name ? " (cosign signs no tag; matchRepository accepts that, and any image of the repository under each of its tags)" : "";

    public sealed override string ToString() => $"{Type} {Keys}";

    protected abstract string DocumentType { get; }

    /// <summary>What somebody has signed whose key is accepted, and who that is.</summary>
    protected abstract (ReadOnlyMemory<byte> Document, string Who) Authenticate(ImageSignature signature);
}
