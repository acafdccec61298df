using System.Text;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary><c>signedBy</c> with OpenPGP keys.</summary>
internal sealed record SignedByRequirement(PolicyKeys Keys, SignedIdentity Identity) : SignatureRequirement(TypeName, Keys, Identity)
{
    internal const string TypeName = "signedBy";

    protected override string DocumentType => SignedPayload.SimpleType;

    internal override bool Concerns(ImageSignature signature) => signature is SimpleSignature;

    protected override (ReadOnlyMemory<byte> Document, string Who) Authenticate(ImageSignature signature)
    {
        var message = signature is SimpleSignature given ? given.Message : throw new ArgumentException("not of this kind", nameof(signature));
        try
        {
            var verified = GpgMessage.Verify(Keys.Load().Select(key => key.Content), message.Span);
            var text = new StringBuilder();
            verified.Signature.Describe(text, "");
            return (verified.Content, string.Join("; ", text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        }
        catch (RepositoryException e)
        {
            throw new ContainerException($"{Keys} it cannot be accepted", e);
        }
    }
}
