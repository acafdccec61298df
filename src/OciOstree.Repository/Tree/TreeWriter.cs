using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Puts directories, archives and commits, one over the other, into a repository and into a <see cref="MutableTree"/>.
/// Contents are read, hashed and stored on all processors; the result does not depend on the order.
/// </summary>
public sealed partial class TreeWriter
{
    private readonly RepoTransaction transaction;
    private readonly MutableTree root;
    private readonly CommitModifier? modifier;
    private readonly CancellationToken cancellation;

    // What a bare-user-only repository can hold decides for every commit into it.
    private readonly bool canonical, skipXattrs;
    private readonly Dictionary<DirMeta, Checksum> dirMetas = [];
    private long cacheHits;

    public TreeWriter(RepoTransaction transaction, MutableTree root, CommitModifier? modifier = null, CancellationToken cancellation = default)
    {
        (this.transaction, this.root, this.modifier, this.cancellation) = (transaction, root, modifier, cancellation);
        canonical = transaction.Repo.Mode == RepoMode.BareUserOnly;
        skipXattrs = canonical || modifier is { SkipXattrs: true } or { CanonicalPermissions: true };
    }

    /// <summary>How many files were found in the <see cref="CommitModifier.DevInoCache"/> and not read.</summary>
    public long CacheHits => Interlocked.Read(ref cacheHits);

    private FileAttributes? Modify(string path, FileAttributes attributes)
    {
        if (modifier != null)
            return modifier.Apply(path, attributes, canonical);
        return canonical ? attributes.Canonical() : attributes;
    }

    private XattrSet Modify(string path, uint mode, XattrSet xattrs) => modifier == null ? xattrs : modifier.Apply(path, mode, xattrs);

    // ostree leaves an xattr without a value out of a commit of a directory.
    private static XattrSet WithoutEmpty(List<Xattr> xattrs) =>
        xattrs.Count == 0 ? XattrSet.Empty : XattrSet.From(xattrs.Where(static xattr => xattr.Value.Length > 0));

    private Checksum WriteDirMeta(FileAttributes attributes, XattrSet xattrs)
    {
        // A system has a handful of kinds of directories.
        var meta = new DirMeta(attributes.Uid, attributes.Gid, attributes.Mode, xattrs);
        if (!dirMetas.TryGetValue(meta, out Checksum checksum))
            dirMetas.Add(meta, checksum = transaction.WriteDirMeta(meta));
        else
            transaction.CountRepeatedMetadata();
        return checksum;
    }
}
