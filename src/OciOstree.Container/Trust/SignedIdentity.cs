using System.Text.Json;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>Which names an image may be signed by (<c>signedIdentity</c> in containers-policy.json(5)).</summary>
internal sealed record SignedIdentity
{
    private readonly string type;
    private readonly RegistryName? expected;
    private readonly string prefix = "";
    private readonly string signedPrefix = "";

    private SignedIdentity(string type, RegistryName? expected = null) => (this.type, this.expected) = (type, expected);

    private SignedIdentity(string type, string prefix, string signedPrefix) => (this.type, this.prefix, this.signedPrefix) = (type, prefix, signedPrefix);

    /// <summary>What counts where a policy says nothing.</summary>
    internal static SignedIdentity Default { get; } = new("matchRepoDigestOrExact");

    /// <exception cref="ContainerException">It is of no known type, or not well-formed.</exception>
    internal static SignedIdentity Read(JsonElement element)
    {
        const string What = "signedIdentity";
        var type = StrictJson.Members(element, What, null).TryGetValue("type", out var given) ? StrictJson.Text(given, "its type") : "";
        switch (type)
        {
            case "matchExact" or "matchRepoDigestOrExact" or "matchRepository":
                StrictJson.ExactMembers(element, What, "type");
                return new SignedIdentity(type);
            case "exactReference":
                var reference = Name(StrictJson.ExactMembers(element, What, "type", "dockerReference")["dockerReference"]);
                return reference is { Tag: null, Digest: null }
                    ? throw new ContainerException($"dockerReference {reference} has neither tag nor digest")
                    : new SignedIdentity(type, reference);
            case "exactRepository":
                return new SignedIdentity(type, Name(StrictJson.ExactMembers(element, What, "type", "dockerRepository")["dockerRepository"]));
            case "remapIdentity":
                var members = StrictJson.ExactMembers(element, What, "type", "prefix", "signedPrefix");
                return new SignedIdentity(type, Prefix(members["prefix"]), Prefix(members["signedPrefix"]));
            default:
                throw new ContainerException($"{What} is of the unknown type '{StrictJson.Show(type)}'");
        }
    }

    /// <summary>Whether an image may carry a signature for this name.</summary>
    /// <param name="image">The name by which the image is asked for; null where it has none, as in a directory.</param>
    /// <param name="dockerReference">The name in the signature.</param>
    internal bool Accepts(RegistryName? image, string dockerReference)
    {
        if (TryName(dockerReference) is not { } signed)
        {
            return false;
        }

        return type switch
        {
            "matchExact" => image is not null && IsExactly(image, signed),
            "matchRepoDigestOrExact" => image is not null && IsInRepositoryOrExactly(image, signed),
            "matchRepository" => image?.Name == signed.Name,
            "exactReference" => IsExactly(expected!, signed),
            "exactRepository" => expected!.Name == signed.Name,
            "remapIdentity" => image is not null && Remap(image) is { } remapped && IsInRepositoryOrExactly(remapped, signed),
            _ => false,
        };
    }

    public override string ToString() => type;

    private static bool IsExactly(RegistryName image, RegistryName signed) =>
        (signed.Tag is not null || signed.Digest is not null) && (image.Tag is not null || image.Digest is not null) && signed == image;

    private static bool IsInRepositoryOrExactly(RegistryName image, RegistryName signed) => image switch
    {
        _ when signed.Name != image.Name || (signed.Tag is null && signed.Digest is null) => false,
        { Tag: { } tag } => signed.Tag == tag && (signed.Digest is null || signed.Digest == image.Digest),

        // The digest itself is compared with the manifest's.
        { Digest: not null } => true,
        _ => false,
    };

    private RegistryName? Remap(RegistryName image)
    {
        var name = image.Name;
        if (!name.StartsWith(prefix, StringComparison.Ordinal) || (name.Length > prefix.Length && name[prefix.Length] != '/'))
        {
            return image;
        }

        // What becomes of it must be written out: a short name would be docker.io's.
        var remapped = signedPrefix + image.ToString()[prefix.Length..];
        return TryName(remapped) is { } result && result.ToString() == remapped ? result : null;
    }

    private static RegistryName Name(JsonElement element)
    {
        try
        {
            return RegistryName.ParseNormalized(StrictJson.Text(element, "the name in signedIdentity"));
        }
        catch (RegistryException e)
        {
            throw new ContainerException("signedIdentity names no image", e);
        }
    }

    private static RegistryName? TryName(string text)
    {
        try
        {
            return RegistryName.ParseNormalized(text);
        }
        catch (RegistryException)
        {
            return null;
        }
    }

    private static string Prefix(JsonElement element)
    {
        var text = StrictJson.Text(element, "a prefix in signedIdentity");
        return RegistryName.IsHost(text) || (TryName(text) is { Tag: null, Digest: null } && text.Contains('/') && RegistryName.IsHost(text[..text.IndexOf('/')]))
            ? text
            : throw new ContainerException($"signedIdentity has the invalid prefix '{StrictJson.Show(text)}'");
    }
}
