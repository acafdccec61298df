using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary><c>sigstoreSigned</c> with public keys.</summary>
internal sealed record SigstoreRequirement(PolicyKeys Keys, SignedIdentity Identity) : SignatureRequirement(TypeName, Keys, Identity)
{
    internal const string TypeName = "sigstoreSigned";

    protected override string DocumentType => SignedPayload.SigstoreType;

    internal override bool Concerns(ImageSignature signature) => signature is SigstoreSignature { MediaType: SigstoreSignature.PayloadType };

    protected override (ReadOnlyMemory<byte> Document, string Who) Authenticate(ImageSignature signature)
    {
        var (payload, annotations) = signature is SigstoreSignature given ? (given.Payload, given.Annotations) : throw new ArgumentException("not of this kind", nameof(signature));
        var keys = new List<(string Name, SigstoreKey Key)>();
        try
        {
            // All of them are read before any counts: a key that is broken should not be found out on the day when it is needed.
            foreach (var (name, content) in Keys.Load())
            {
                keys.Add((name, Read(name, content)));
            }

            if (!annotations.TryGetValue(SigstoreSignature.SignatureAnnotation, out var text) || !Base64.TryDecode(text, out var bytes))
            {
                throw new ContainerException($"it has no {SigstoreSignature.SignatureAnnotation} annotation in base64");
            }

            var signer = keys.Find(key => key.Key.Verify(payload.Span, bytes));
            return signer.Name is { } who ? (payload, $"good, by {who}") : throw new ContainerException("it is not signed by an accepted key");
        }
        finally
        {
            keys.ForEach(key => key.Key.Dispose());
        }
    }

    private static SigstoreKey Read(string name, byte[] content)
    {
        try
        {
            return SigstoreKey.Parse(content);
        }
        catch (ContainerException e)
        {
            throw new ContainerException($"{name} is no key", e);
        }
    }
}
