namespace OciOstree.Repository;

/// <summary>Of which files a composefs image says the fs-verity digest, so that the kernel gives out no other content.</summary>
public enum ComposefsVerity
{
    /// <summary>Of none.</summary>
    None,

    /// <summary>Of those that fs-verity protects in the repository.</summary>
    Protected,

    /// <summary>Of all; where the file system does not know a digest it is computed. A commit that names its image's digest must get that image.</summary>
    All,
}
