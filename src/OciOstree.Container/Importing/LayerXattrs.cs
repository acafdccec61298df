using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>The xattrs of a derived layer's entries, as far as they are the content's own.</summary>
internal static class LayerXattrs
{
    internal static XattrSet Of(TarEntry entry) =>
        entry.Xattrs.Count == 0 ? XattrSet.Empty : XattrSet.From(entry.Xattrs.Where(xattr => IsContent(xattr, entry.Type)).Select(xattr => new Xattr(xattr.Name, xattr.Value)));

    // The label is that of the machine which built the layer, overlayfs' xattrs are how its storage worked, and an xattr without a
    // value is one that ostree cannot read back.
    private static bool IsContent(TarXattr xattr, TarEntryType type)
    {
        var name = xattr.Name.AsSpan();
        return xattr.Value.Length > 0
            && CanBeHad(name, type)
            && !name.SequenceEqual("security.selinux"u8)
            && !name.StartsWith("trusted.overlay."u8)
            && !name.StartsWith("user.overlay."u8);
    }

    // What Linux has no name space for, or not for links, no machine would show; container runtimes pass over it too.
    private static bool CanBeHad(ReadOnlySpan<byte> name, TarEntryType type) =>
        IsIn(name, "trusted."u8)
        || IsIn(name, "security."u8)
        || (type != TarEntryType.SymbolicLink && (IsIn(name, "user."u8) || name.SequenceEqual("system.posix_acl_access"u8) || name.SequenceEqual("system.posix_acl_default"u8)));

    private static bool IsIn(ReadOnlySpan<byte> name, ReadOnlySpan<byte> space) => name.Length > space.Length && name.StartsWith(space);
}
