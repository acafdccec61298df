using System.Text.Json;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>Reads one requirement of containers-policy.json(5).</summary>
internal static class PolicyReader
{
    private static readonly string[] KeyMembers = ["keyPath", "keyPaths", "keyData", "keyDatas"];
    private static readonly string[] RekorMembers = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];
    private static readonly string[] FulcioMembers = ["caPath", "caData", "oidcIssuer", "subjectEmail"];
    private static readonly string[] PkiMembers = ["caRootsPath", "caRootsData", "caIntermediatesPath", "caIntermediatesData", "subjectEmail", "subjectHostname"];

    /// <exception cref="ContainerException">It is of no known type, or not well-formed.</exception>
    internal static PolicyRequirement Read(JsonElement requirement)
    {
        var type = StrictJson.Members(requirement, "a requirement", null).TryGetValue("type", out var given) ? StrictJson.Text(given, "the type of a requirement") : "";
        switch (type)
        {
            case PolicyRequirement.AcceptAnything or PolicyRequirement.Reject:
                StrictJson.ExactMembers(requirement, type, "type");
                return new PolicyRequirement(type);
            case SignedByRequirement.TypeName:
                return ReadSignedBy(StrictJson.Members(requirement, type, "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"));
            case SigstoreRequirement.TypeName:
                return ReadSigstore(StrictJson.Members(requirement, type, ["type", .. KeyMembers, .. RekorMembers, "fulcio", "pki", "signedIdentity"]));
            case "signedBaseLayer":
                SignedIdentity.Read(StrictJson.ExactMembers(requirement, type, "type", "baseLayerIdentity")["baseLayerIdentity"]);
                return new UnverifiableRequirement(type, "signatures of base layers");
            default:
                throw new ContainerException($"a requirement is of the unknown type '{StrictJson.Show(type)}'");
        }
    }

    private static PolicyRequirement ReadSignedBy(Dictionary<string, JsonElement> members)
    {
        var keys = PolicyKeys.Read(members, "keyPath", "keyPaths", "keyData");
        var identity = Identity(members);
        return (members.TryGetValue("keyType", out var given) ? StrictJson.Text(given, "keyType") : "") switch
        {
            "GPGKeys" => new SignedByRequirement(keys, identity),
            "signedByGPGKeys" or "X509Certificates" or "signedByX509CAs" => new UnverifiableRequirement(SignedByRequirement.TypeName, $"keys of type {given}"),
            var other => throw new ContainerException($"keyType is '{StrictJson.Show(other)}'"),
        };
    }

    private static PolicyRequirement ReadSigstore(Dictionary<string, JsonElement> members)
    {
        var identity = Identity(members);
        string[] sources = [.. KeyMembers.Append("fulcio").Append("pki").Where(members.ContainsKey)];
        string[] rekor = [.. RekorMembers.Where(members.ContainsKey)];
        if (sources is not [var source])
        {
            throw new ContainerException($"there must be exactly one of {string.Join(", ", KeyMembers)}, fulcio, pki");
        }

        if (rekor.Length > 1 || (rekor.Length == 0 && source == "fulcio") || (rekor.Length > 0 && source == "pki"))
        {
            throw new ContainerException(rekor.Length > 1 ? $"there must be no more than one of {string.Join(", ", RekorMembers)}" : $"{source} goes {(source == "pki" ? "without" : "with")} a key of Rekor's");
        }

        switch (source)
        {
            case "fulcio":
                CheckCertificates(members[source], source, FulcioMembers);
                return new UnverifiableRequirement(SigstoreRequirement.TypeName, "certificates of Fulcio (fulcio)");
            case "pki":
                CheckCertificates(members[source], source, PkiMembers);
                return new UnverifiableRequirement(SigstoreRequirement.TypeName, "certificates of signers (pki)");
        }

        var keys = PolicyKeys.Read(members, KeyMembers);
        return new SigstoreRequirement(keys, identity, rekor.Length > 0 ? PolicyKeys.Read(members, RekorMembers) : null);
    }

    private static void CheckCertificates(JsonElement element, string what, string[] known)
    {
        foreach (var (name, value) in StrictJson.Members(element, what, known))
        {
            if (StrictJson.Text(value, name) is var text && name.EndsWith("Data", StringComparison.Ordinal) && !Base64.TryDecode(text, out _))
            {
                throw new ContainerException($"{name} is no base64");
            }
        }
    }

    private static SignedIdentity Identity(Dictionary<string, JsonElement> members) =>
        members.TryGetValue("signedIdentity", out var identity) ? SignedIdentity.Read(identity) : SignedIdentity.Default;
}
