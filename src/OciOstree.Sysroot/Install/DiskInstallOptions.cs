namespace OciOstree.Sysroot;

/// <summary>What a disk is made into.</summary>
public sealed record DiskInstallOptions
{
    /// <summary>An image file or a block device.</summary>
    public required string Path { get; init; }

    public required InstallLoader Loader { get; init; }

    /// <summary>The root's file system: ext4, xfs or btrfs.</summary>
    public string FileSystem { get; init; } = "ext4";

    /// <summary>For an image file that does not exist, in bytes.</summary>
    public long? Size { get; init; }

    /// <summary>Goes on though something is on the disk.</summary>
    public bool Wipe { get; init; }
}
