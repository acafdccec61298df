using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The xattrs of a derived layer's entries, as far as they are the content's own.</summary>
internal static class LayerXattrs
{
    internal static XattrSet Of(TarEntry entry) =>
        entry.Xattrs.Count == 0 ? XattrSet.Empty : XattrSet.From(entry.Xattrs.Where(IsContent).Select(xattr => new Xattr(xattr.Name, xattr.Value)));

    // The label is that of the machine which built the layer, overlayfs' xattrs are how its storage worked, and an xattr without a
    // value is one that ostree cannot read back.
    private static bool IsContent(TarXattr xattr) =>
        xattr.Value.Length > 0
        && !xattr.Name.AsSpan().SequenceEqual("security.selinux"u8)
        && !xattr.Name.AsSpan().StartsWith("trusted.overlay."u8)
        && !xattr.Name.AsSpan().StartsWith("user.overlay."u8);
}
