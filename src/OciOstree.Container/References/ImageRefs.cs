using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>The refs that images own in a repository.</summary>
public static class ImageRefs
{
    /// <summary>Layers, by digest.</summary>
    public const string LayerPrefix = "ostree/container/blob";

    /// <summary>Merge commits, by image reference.</summary>
    public const string ImagePrefix = "ostree/container/image";

    /// <summary>Bases of locally built commits; whoever writes a ref here keeps that image's layers from being collected.</summary>
    public const string BaseImagePrefix = "ostree/container/baseimage";

    public static string ForLayer(Digest digest) => RefEscape.EscapePath(LayerPrefix, digest.ToString());

    public static string ForImage(ImageReference image) => RefEscape.EscapePath(ImagePrefix, image.ToString());

    /// <summary>The layer that a ref stands for; null if the ref is none of ours.</summary>
    internal static Digest? LayerOf(string refName) =>
        Unprefix(LayerPrefix, refName) is { } text && Digest.TryParse(text, out var digest) ? digest : null;

    /// <summary>The image that a ref stands for, as text; null if the ref is none of ours.</summary>
    internal static string? ImageOf(string refName) => Unprefix(ImagePrefix, refName);

    private static string? Unprefix(string prefix, string refName)
    {
        if (!refName.StartsWith(prefix, StringComparison.Ordinal) || refName.Length <= prefix.Length || refName[prefix.Length] != '/')
        {
            return null;
        }

        try
        {
            return RefEscape.Unescape(refName[(prefix.Length + 1)..]);
        }
        catch (ContainerException)
        {
            // Somebody else's ref under our prefix: not ours to judge, and nothing of ours is lost by passing it over.
            return null;
        }
    }
}
