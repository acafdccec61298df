using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>A newer image that was seen but not imported yet, remembered with the one that it would replace.</summary>
public sealed record CachedUpdate(Digest ManifestDigest, Manifest Manifest, ImageConfig Config)
{
    public string? Version => ImageLabels.VersionOf(Config);
}
