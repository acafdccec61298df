namespace OciOstree.Repository;

/// <summary>What an object is. The numbers are ostree's and are written in static deltas and metadata.</summary>
public enum ObjectType
{
    /// <summary>Content: a regular file or a symbolic link with its owner, mode and xattrs.</summary>
    File = 1,

    /// <summary>A directory's names.</summary>
    DirTree = 2,

    /// <summary>A directory's owner, mode and xattrs.</summary>
    DirMeta = 3,

    Commit = 4,

    /// <summary>Says that a commit was deleted on purpose.</summary>
    TombstoneCommit = 5,

    /// <summary>Detached metadata of a commit; named by the commit, so its bytes are not covered by its name.</summary>
    CommitMeta = 6,

    /// <summary>A symbolic link from a content's plain digest to an object with that content, for reflinks.</summary>
    PayloadLink = 7,

    /// <summary>In bare-split-xattrs: the xattrs, named by their own digest.</summary>
    FileXattrs = 8,

    /// <summary>In bare-split-xattrs: a hard link named by the content object to its xattrs.</summary>
    FileXattrsLink = 9,
}
