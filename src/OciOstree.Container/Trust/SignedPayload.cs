using System.Text.Json;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// What a signature says: that the image with this digest goes by this name (containers-signature(5)). To be read only once it is known who
/// signed it.
/// </summary>
/// <param name="DockerReference">As it was signed: nobody has looked whether it is a name at all.</param>
internal sealed record SignedPayload(Digest Manifest, string DockerReference)
{
    /// <summary>The type in signatures by OpenPGP.</summary>
    internal const string SimpleType = "atomic container signature";

    /// <summary>The type in sigstore's.</summary>
    internal const string SigstoreType = "cosign container image signature";

    /// <exception cref="ContainerException">It is not of that type, or has what no such document has.</exception>
    internal static SignedPayload Parse(ReadOnlyMemory<byte> json, string type)
    {
        try
        {
            return StrictJson.Parse(json, root => Read(root, type));
        }
        catch (ContainerException e)
        {
            throw new ContainerException("what is signed is no signature's document", e);
        }
    }

    private static SignedPayload Read(JsonElement root, string type)
    {
        var members = StrictJson.ExactMembers(root, "the document", "critical", "optional");

        // cosign writes null where nobody gave it annotations.
        if (type != SigstoreType || members["optional"].ValueKind != JsonValueKind.Null)
        {
            CheckOptional(StrictJson.Members(members["optional"], "optional", null));
        }

        var critical = StrictJson.ExactMembers(members["critical"], "critical", "type", "image", "identity");
        if (StrictJson.Text(critical["type"], "critical.type") is var found && found != type)
        {
            throw new ContainerException($"its type is '{StrictJson.Show(found)}'");
        }

        var image = StrictJson.ExactMembers(critical["image"], "critical.image", "docker-manifest-digest");
        var identity = StrictJson.ExactMembers(critical["identity"], "critical.identity", "docker-reference");
        var digest = StrictJson.Text(image["docker-manifest-digest"], "docker-manifest-digest");
        return Digest.TryParse(digest, out var manifest)
            ? new SignedPayload(manifest, StrictJson.Text(identity["docker-reference"], "docker-reference"))
            : throw new ContainerException($"docker-manifest-digest is '{StrictJson.Show(digest)}'");
    }

    private static void CheckOptional(Dictionary<string, JsonElement> optional)
    {
        if (optional.TryGetValue("creator", out var creator) && creator.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
        {
            throw new ContainerException("optional.creator is no text");
        }

        if (optional.TryGetValue("timestamp", out var time) && time.ValueKind != JsonValueKind.Null
            && !(time.ValueKind == JsonValueKind.Number && time.TryGetDouble(out var seconds) && Math.Abs(seconds) < long.MaxValue && Math.Floor(seconds) == seconds))
        {
            throw new ContainerException("optional.timestamp is no integer");
        }
    }
}
