using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>An image in a repository.</summary>
public sealed record ImportedImage
{
    /// <summary>The commit that unites all layers; the one to deploy.</summary>
    public required Checksum MergeCommit { get; init; }

    /// <summary>The commit of the first layer: the one inside the image, if it has one. Null if its ref is gone.</summary>
    public required Checksum? BaseCommit { get; init; }

    public required Digest ManifestDigest { get; init; }

    public required Manifest Manifest { get; init; }

    /// <summary>The manifest as the merge commit holds it: canonical JSON.</summary>
    public required string ManifestJson { get; init; }

    public required ImageConfig Config { get; init; }

    /// <summary>The configuration as the merge commit holds it: canonical JSON.</summary>
    public required string ConfigJson { get; init; }

    /// <summary>The update that the last check found, if it was not imported since.</summary>
    public CachedUpdate? CachedUpdate { get; init; }

    /// <summary>The SELinux policy that the image has, if its content was imported without the labels that the policy gives.</summary>
    public string? UnappliedPolicy { get; init; }

    /// <summary>Where its content outside of <c>usr</c> and <c>etc</c> went, as far as somebody chose.</summary>
    public TopLevelRules TopLevels { get; init; } = TopLevelRules.Default;

    /// <summary>Who signed the image, where the machine's policy asks for it, or the commit inside, of one by <c>ostree-remote-image</c>: lines for people. Null where nobody was asked.</summary>
    public string? Signatures { get; init; }

    /// <summary>After an import: what of the image was left out.</summary>
    public DroppedContent Dropped { get; init; } = DroppedContent.None;

    /// <summary>After an import: what whoever runs it should know, a line each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The version that the image says it is; null if it says none.</summary>
    public string? Version => ImageLabels.VersionOf(Config);
}
