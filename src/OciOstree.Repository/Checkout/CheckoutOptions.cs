namespace OciOstree.Repository;

/// <summary>How a commit is laid out in a directory.</summary>
public sealed record CheckoutOptions
{
    /// <summary>Leaves owners and xattrs alone, and set-id bits out; what an ordinary user can make. Always so for a bare-user-only repository.</summary>
    public bool UserMode { get; init; }

    public OverwriteMode Overwrite { get; init; }

    /// <summary>A file or a directory in the commit to check out instead of the root.</summary>
    public string? Subpath { get; init; }

    /// <summary>A missing <see cref="Subpath"/> is no error: nothing is done.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>Every file is a copy, with shared extents where the file system can; directories get the current time.</summary>
    public bool ForceCopy { get; init; }

    /// <summary>
    /// A file that cannot be a hard link is an error. Empty files, links from a bare-user repository and files that their owner cannot read are copied all the same.
    /// </summary>
    public bool RequireHardLinks { get; init; }

    /// <summary>
    /// In user mode from an archive, keeps each file uncompressed in the repository and makes hard links to it, as <c>ostree checkout -U</c> does;
    /// a repository that cannot be written to has no such cache. <c>core.enable-uncompressed-cache=false</c> turns it off.
    /// </summary>
    public bool UncompressedCache { get; init; }

    /// <summary>Files called <c>.wh.NAME</c> remove NAME, and <c>.wh..wh..opq</c> what was in the directory before, instead of appearing; as OCI layers mean it.</summary>
    public bool Whiteouts { get; init; }

    /// <summary>Files called <c>.ostree-wh.NAME</c> become character devices 0:0 called NAME, which overlayfs takes as whiteouts.</summary>
    public bool PassthroughWhiteouts { get; init; }

    /// <summary>Takes from directories what a bare-user-only repository cannot hold: mode bits outside of 0775.</summary>
    public bool BareUserOnlyDirectories { get; init; }

    /// <summary>Flushes each file and directory as it is done.</summary>
    public bool Fsync { get; init; }

    /// <summary>
    /// Whether to check out a path, relative to what is checked out; a directory's ends in a slash (<c>/usr/bin/</c>), as in ostree. Called from one thread.
    /// </summary>
    public Func<string, bool>? Filter { get; init; }

    /// <summary>Gets an entry for every hard link that is made.</summary>
    public DevInoCache? DevInoCache { get; init; }

    /// <summary>
    /// The SELinux label of a path with a mode, set in the place of the commit's; null for none. Goes with <see cref="ForceCopy"/> only, and is called from many threads.
    /// </summary>
    public Func<string, uint, string?>? Labeler { get; init; }

    /// <summary>Put before the paths that <see cref="Labeler"/> is asked for; <see cref="Subpath"/> if null.</summary>
    public string? LabelPrefix { get; init; }
}
