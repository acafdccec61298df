namespace OciOstree.Testing;

/// <summary>What of a tree is compared beside names, types, modes, targets and contents.</summary>
[Flags]
public enum SnapshotDetails
{
    None = 0,
    Owners = 1,
    Xattrs = 2,
    FileTimes = 4,

    /// <summary>Of files and symbolic links; a directory's depends on the file system.</summary>
    LinkCounts = 8,
    Default = Owners | Xattrs,
    All = Owners | Xattrs | FileTimes | LinkCounts,
}
