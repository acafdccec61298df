namespace OciOstree.Registry;

/// <summary>What a copy takes along.</summary>
public sealed record CopyOptions
{
    /// <summary>Copy an index and all of its images, instead of the one for the platform.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>Blobs in flight at once.</summary>
    public int Parallelism { get; init; } = 4;
}
