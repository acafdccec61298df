using OciOstree.Registry;
using OciOstree.Sysroot;

namespace OciOstree.Container;

/// <summary>How an image is deployed.</summary>
public sealed record ImageDeployOptions
{
    /// <summary>The whole kernel command line without <c>ostree=</c>; null keeps that of the deployment before.</summary>
    public IReadOnlyList<string>? KernelArguments { get; init; }

    /// <summary>What the origin records and updates follow, where that differs from where the image comes from now.</summary>
    public OstreeImageReference? Target { get; init; }

    /// <summary>False leaves no ref for the image, only for its layers.</summary>
    public bool WriteImageRef { get; init; } = true;

    /// <summary>Whether to refuse an image that does not say it is bootable, or is for another architecture.</summary>
    public bool RequireBootable { get; init; } = true;

    /// <summary>Which other deployments stay.</summary>
    public Retention Retention { get; init; } = Retention.Default;

    /// <summary>On a booted system, false switches at once instead of at shutdown.</summary>
    public bool Stage { get; init; } = true;

    /// <summary>A staged deployment waits until it is unlocked.</summary>
    public bool LockFinalization { get; init; }

    /// <inheritdoc cref="ImportOptions.TopLevels"/>
    public TopLevelRules? TopLevels { get; init; }

    /// <inheritdoc cref="ImportOptions.Labels"/>
    public bool Labels { get; init; } = true;

    public RegistryOptions Registry { get; init; } = new();
}
