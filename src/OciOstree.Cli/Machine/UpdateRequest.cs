using OciOstree.Container;
using OciOstree.Registry;

namespace OciOstree.Cli.Machine;

/// <summary>Which image a machine shall go to, and how far.</summary>
internal sealed record UpdateRequest
{
    public required string Stateroot { get; init; }

    /// <summary>Where the image is taken from.</summary>
    public required OstreeImageReference Reference { get; init; }

    /// <summary>What the machine follows from then on.</summary>
    public required OstreeImageReference Follow { get; init; }

    public required RegistryOptions Registry { get; init; }

    /// <inheritdoc cref="ImportOptions.TopLevels"/>
    public TopLevelRules? TopLevels { get; init; }

    /// <summary>False does without SELinux labels where the image has a policy.</summary>
    public bool Labels { get; init; } = true;

    public bool Quiet { get; init; }

    public bool Json { get; init; }

    /// <summary>Fetch and keep, but let no boot run it until that is asked for.</summary>
    public bool DownloadOnly { get; init; }

    /// <summary>Take the image though this machine has given it up after boots that failed their checks.</summary>
    public bool AllowFailed { get; init; }

    /// <summary>Take the image though it was made before the one that is deployed.</summary>
    public bool AllowOlder { get; init; }
}
