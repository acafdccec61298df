namespace OciOstree.Repository;

/// <summary>How one tree is laid over another.</summary>
public sealed record OverlayOptions
{
    /// <summary>As <c>ostree commit --tree=A --tree=B</c>: the upper tree's metadata counts, a file and a directory do not replace each other.</summary>
    public static readonly OverlayOptions Default = new();

    /// <summary>
    /// Files named <c>.wh.NAME</c> remove NAME from the lower tree and <c>.wh..wh..opq</c> all that the lower tree has in their directory,
    /// as in an OCI layer; they do not appear in the result.
    /// </summary>
    public bool Whiteouts { get; init; }

    /// <summary>A directory that is in both trees keeps the lower tree's owner, mode and xattrs, as when one checkout is made over another.</summary>
    public bool KeepDirectoryMetadata { get; init; }

    /// <summary>A file may replace a whole directory, and a directory a file.</summary>
    public bool ReplaceOtherTypes { get; init; }
}
