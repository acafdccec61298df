namespace OciOstree.Registry;

/// <summary>Opens images wherever they live.</summary>
public static class Images
{
    /// <exception cref="RegistryException">The place cannot be read.</exception>
    public static IImageSource OpenSource(ImageReference reference, RegistryOptions? options = null) => reference.Transport switch
    {
        _ => throw new RegistryException($"cannot read images from {reference}"),
    };

    /// <exception cref="RegistryException">The place cannot be written.</exception>
    public static IImageDestination OpenDestination(ImageReference reference, RegistryOptions? options = null) => reference.Transport switch
    {
        _ => throw new RegistryException($"cannot write images to {reference}"),
    };
}
