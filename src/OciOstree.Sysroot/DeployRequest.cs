using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>What to deploy and what to carry over from the deployment before it.</summary>
public sealed class DeployRequest
{
    public required string Stateroot { get; init; }

    public required Checksum Commit { get; init; }

    public Origin? Origin { get; init; }

    /// <summary>Whose local changes to <c>/etc</c> are carried over; null starts from the tree's defaults.</summary>
    public Deployment? Merge { get; init; }

    /// <summary>The kernel command line without <c>ostree=</c>; null takes the one of <see cref="Merge"/>.</summary>
    public IReadOnlyList<string>? KernelArguments { get; init; }

    /// <summary>SHA-256 of images that <see cref="Sysroot.StageOverlayInitrd"/> took in.</summary>
    public IReadOnlyList<string> OverlayInitrds { get; init; } = [];

    /// <summary>
    /// False lets a tree that has an SELinux policy be deployed without the labels that the policy gives <c>/etc</c> and <c>/var</c>, where this machine has no libselinux.
    /// </summary>
    public bool Labels { get; init; } = true;

    /// <summary>A staged deployment only: shutdown leaves it alone until it is unlocked.</summary>
    public bool LockFinalization { get; init; }
}
