using System.Text;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary><c>sigstoreSigned</c> with public keys.</summary>
/// <param name="Logs">The keys of Rekor logs, one of which must have recorded the signature; null if none need have.</param>
internal sealed record SigstoreRequirement(PolicyKeys Keys, SignedIdentity Identity, PolicyKeys? Logs) : SignatureRequirement(TypeName, Keys, Identity)
{
    internal const string TypeName = "sigstoreSigned";

    protected override string DocumentType => SignedPayload.SigstoreType;

    internal override bool Concerns(ImageSignature signature) => signature is SigstoreSignature { MediaType: SigstoreSignature.PayloadType };

    protected override (ReadOnlyMemory<byte> Document, string Who) Authenticate(ImageSignature signature)
    {
        var (payload, annotations) = signature is SigstoreSignature given ? (given.Payload, given.Annotations) : throw new ArgumentException("not of this kind", nameof(signature));
        var (keys, logs) = (new List<(string Name, SigstoreKey Key)>(), new List<(string Name, SigstoreKey Key)>());
        try
        {
            // All of them are read before any counts: a key that is broken should not be found out on the day when it is needed.
            Load(Keys, keys);
            if (Logs is not null)
            {
                Load(Logs, logs);
            }

            if (logs.Find(log => !log.Key.IsEcdsa).Name is { } other)
            {
                throw new ContainerException($"{other} is no key for ECDSA, as Rekor's are");
            }

            if (!annotations.TryGetValue(SigstoreSignature.SignatureAnnotation, out var text) || !Base64.TryDecode(text, out var bytes))
            {
                throw new ContainerException($"it has no {SigstoreSignature.SignatureAnnotation} annotation in base64");
            }

            var signer = keys.Find(key => key.Key.Verify(payload.Span, bytes));
            if (signer.Name is null)
            {
                throw new ContainerException("it is not signed by an accepted key");
            }

            if (Logs is null)
            {
                return (payload, $"good, by {signer.Name}");
            }

            if (!annotations.TryGetValue(RekorRecord.Annotation, out var record))
            {
                throw new ContainerException($"it has no {RekorRecord.Annotation} annotation, and a record in a Rekor log is wanted");
            }

            RekorRecord.Verify(Encoding.UTF8.GetBytes(record), [.. logs.Select(log => log.Key)], payload.Span, bytes, signer.Key);
            return (payload, $"good, by {signer.Name}, recorded in a Rekor log");
        }
        finally
        {
            keys.ForEach(key => key.Key.Dispose());
            logs.ForEach(log => log.Key.Dispose());
        }
    }

    // Into a list that its owner disposes, however far this comes.
    private static void Load(PolicyKeys from, List<(string Name, SigstoreKey Key)> keys)
    {
        foreach (var (name, content) in from.Load())
        {
            try
            {
                keys.Add((name, SigstoreKey.Parse(content)));
            }
            catch (ContainerException e)
            {
                throw new ContainerException($"{name} is no key", e);
            }
        }
    }
}
