using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>How an image is imported; the defaults are what a machine that follows an image wants.</summary>
public sealed record ImportOptions
{
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>Store the image under this name instead of the one that it is fetched by.</summary>
    public ImageReference? Target { get; init; }

    /// <summary>False writes the layers' refs only: a later pull reuses them, and no image needs to be removed.</summary>
    public bool WriteImageRef { get; init; } = true;

    /// <summary>Refuse an image that does not say it is bootable, or is for another architecture.</summary>
    public bool RequireBootable { get; init; }

    /// <summary>Remove the refs of layers that no image uses any more once the import is done.</summary>
    public bool PruneLayers { get; init; } = true;

    /// <summary>
    /// Where derived content outside of <c>usr</c> and <c>etc</c> goes. Null goes by the rules of the image of that name that the repository has, so that an update
    /// does as the import before it did, and by the default ones for a new image.
    /// </summary>
    public TopLevelRules? TopLevels { get; init; }

    /// <summary>
    /// Label derived content by the SELinux policy of the image, if it has one; without libselinux that fails. False imports it without labels and warns:
    /// the machine must relabel itself or run permissively.
    /// </summary>
    public bool Labels { get; init; } = true;

    /// <summary>Layers in flight at once.</summary>
    public int Parallelism { get; init; } = 3;
}
