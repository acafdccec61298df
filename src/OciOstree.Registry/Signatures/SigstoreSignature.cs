namespace OciOstree.Registry;

/// <summary>What cosign attaches to an image: a payload, and in the annotations a signature of it and what else is known.</summary>
/// <param name="MediaType">Of the payload; attestations and others lie beside signatures.</param>
public sealed record SigstoreSignature(string MediaType, ReadOnlyMemory<byte> Payload, IReadOnlyDictionary<string, string> Annotations) : ImageSignature
{
    /// <summary>The <see cref="MediaType"/> of a signature's payload.</summary>
    public const string PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";

    /// <summary>The annotation with the signature, in base64.</summary>
    public const string SignatureAnnotation = "dev.cosignproject.cosign/signature";
}
