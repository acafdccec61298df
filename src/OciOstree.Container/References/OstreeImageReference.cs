using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// Where an image is and who vouches for it, in ostree-ext's spelling: what the origin of a deployment holds under
/// <c>container-image-reference</c>.
/// </summary>
public sealed record OstreeImageReference(SignatureSource Source, ImageReference Image)
{
    /// <summary>
    /// Reads <c>ostree-unverified-registry:IMG</c>, <c>ostree-unverified-image:TRANSPORT:IMG</c>, <c>ostree-image-signed:TRANSPORT:IMG</c>,
    /// <c>ostree-remote-image:REMOTE:TRANSPORT:IMG</c> and <c>ostree-remote-registry:REMOTE:IMG</c>.
    /// </summary>
    /// <exception cref="ContainerException">It is none of these.</exception>
    public static OstreeImageReference Parse(string text)
    {
        var (scheme, rest) = Split(text, text);
        switch (scheme)
        {
            case "ostree-image-signed":
                return new(SignatureSource.ContainerPolicy, ParseImage(rest));
            case "ostree-unverified-image":
                return new(SignatureSource.ContainerPolicyAllowInsecure, ParseImage(rest));
            case "ostree-unverified-registry":
                return new(SignatureSource.ContainerPolicyAllowInsecure, ParseImage("registry:" + rest));
            case "ostree-remote-image":
                var (remote, image) = Split(rest, text);
                return new(SignatureSource.OstreeRemote(remote), ParseImage(image));
            case "ostree-remote-registry":
                (remote, image) = Split(rest, text);
                return new(SignatureSource.OstreeRemote(remote), ParseImage("registry:" + image));
            default:
                throw new ContainerException($"invalid ostree image reference scheme '{scheme}' in '{text}': want one that says who vouches for the image, such as ostree-unverified-image:docker://host/name:tag");
        }
    }

    /// <summary>
    /// The image that a user means where nobody needs to vouch for it: <c>TRANSPORT:NAME</c>, or one of the spellings above, since that is
    /// what <c>status</c> and origins show and people paste.
    /// </summary>
    /// <exception cref="ContainerException">It begins as one of ours and goes on as none.</exception>
    /// <exception cref="RegistryException">It is no image reference.</exception>
    public static ImageReference ParseEither(string text) =>
        text.StartsWith("ostree-", StringComparison.Ordinal) ? Parse(text).Image : ImageReference.Parse(text);

    /// <summary>The canonical spelling: the short form for unverified images in registries, else SIGNATURE:TRANSPORT:NAME.</summary>
    public override string ToString() =>
        Source == SignatureSource.ContainerPolicyAllowInsecure && Image.Transport == Transport.Registry
            ? $"ostree-unverified-registry:{Image.Name}"
            : $"{Source}:{Image}";

    private static (string First, string Remainder) Split(string text, string whole)
    {
        var colon = text.IndexOf(':');
        return colon < 0
            ? throw new ContainerException($"invalid ostree image reference '{whole}': want SIGNATURE:TRANSPORT:NAME, such as ostree-unverified-registry:host/name:tag")
            : (text[..colon], text[(colon + 1)..]);
    }

    private static ImageReference ParseImage(string text)
    {
        try
        {
            return ImageReference.Parse(text);
        }
        catch (RegistryException e)
        {
            throw new ContainerException("Parsing ostree image reference", e);
        }
    }
}
