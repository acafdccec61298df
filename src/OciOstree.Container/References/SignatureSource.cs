namespace OciOstree.Container;

/// <summary>Who vouches for an image: the first part of an <see cref="OstreeImageReference"/>.</summary>
public sealed record SignatureSource
{
    private SignatureSource(string? remoteName, bool requiresPolicy)
    {
        RemoteName = remoteName;
        RequiresPolicy = requiresPolicy;
    }

    /// <summary><c>ostree-image-signed</c>: containers-policy.json decides, and must not accept anything by default.</summary>
    public static SignatureSource ContainerPolicy { get; } = new(null, true);

    /// <summary><c>ostree-unverified-image</c>: containers-policy.json decides, whatever it says.</summary>
    public static SignatureSource ContainerPolicyAllowInsecure { get; } = new(null, false);

    /// <summary>The ostree remote whose keys must have signed the commit inside the image; null for the container policies.</summary>
    public string? RemoteName { get; }

    /// <summary>Whether a policy that accepts anything is to be refused.</summary>
    public bool RequiresPolicy { get; }

    /// <summary><c>ostree-remote-image:NAME</c>: the commit inside the image must be signed by the keys of that remote.</summary>
    /// <exception cref="ContainerException">The name is empty.</exception>
    public static SignatureSource OstreeRemote(string name) =>
        name.Length > 0 ? new SignatureSource(name, false) : throw new ContainerException("invalid ostree image reference: no remote name");

    /// <summary>The spelling that stands before the image, without the colon.</summary>
    public override string ToString() =>
        RemoteName is { } remote ? $"ostree-remote-image:{remote}"
        : RequiresPolicy ? "ostree-image-signed"
        : "ostree-unverified-image";
}
