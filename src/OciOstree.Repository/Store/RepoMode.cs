namespace OciOstree.Repository;

/// <summary>How a repository keeps content objects on disk.</summary>
public enum RepoMode
{
    /// <summary>Files as they are, with owner, mode and xattrs: what a root filesystem's repository is.</summary>
    Bare,

    /// <summary>Files owned by whoever writes; the true owner, mode and xattrs in the xattr <c>user.ostreemeta</c>, links as regular files.</summary>
    BareUser,

    /// <summary>Files owned by whoever writes; owner 0:0 and no xattrs are all that can be stored.</summary>
    BareUserOnly,

    /// <summary>Compressed, with the metadata inside the file: what a web server offers.</summary>
    Archive,

    /// <summary>Like bare, with the xattrs in objects of their own: what an image's layers carry.</summary>
    BareSplitXattrs,
}
