using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>The labels and annotations that an image with an ostree commit carries.</summary>
internal static class ImageLabels
{
    internal const string Commit = "ostree.commit";

    /// <summary>The diff id of the last layer that belongs to the commit; without it the image has no commit.</summary>
    internal const string FinalDiffId = "ostree.final-diffid";

    /// <summary>The kernel's version.</summary>
    internal const string Linux = "ostree.linux";

    internal const string Bootable = "ostree.bootable";

    internal const string Bootc = "containers.bootc";

    internal const string Version = "org.opencontainers.image.version";

    /// <summary>What images said before OCI had a name for it.</summary>
    internal const string OldVersion = "version";

    internal const string Created = "org.opencontainers.image.created";

    /// <summary>The version that an image says it is; null if it says none.</summary>
    internal static string? VersionOf(ImageConfig config) =>
        config.Labels.TryGetValue(Version, out var version) || config.Labels.TryGetValue(OldVersion, out version) ? version : null;
}
