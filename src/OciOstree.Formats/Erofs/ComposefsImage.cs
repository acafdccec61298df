namespace OciOstree.Formats.Erofs;

/// <summary>
/// A tree as a composefs image of version 0: an EROFS of names, modes, owners and xattrs. What files contain is elsewhere, below a directory of objects
/// that overlayfs is told of by xattrs; so the image's own fs-verity digest vouches for a whole tree. The bytes are those that libcomposefs writes, which
/// is why other tools come to the same digest. All times are 0. (Linux: Documentation/filesystems/erofs.rst and overlayfs.rst.)
/// </summary>
/// <remarks>Memory is about as large as the image. Nothing here may be called by two threads at once.</remarks>
public sealed partial class ComposefsImage
{
    /// <summary>The longest target of a symbolic link, in bytes.</summary>
    public const int LongestTarget = 4095;

    /// <summary>The xattrs of one node take at most this much: 7 bytes, the name and the value for each, and 12.</summary>
    public const int MaxXattrSpace = ushort.MaxValue / 2;

    private static readonly byte[] OverlayPrefix = "trusted.overlay."u8.ToArray(), OverlayEscape = "trusted.overlay.overlay."u8.ToArray();

    private readonly XattrTable xattrs = new();
    private bool written;

    /// <summary>An image of an empty directory.</summary>
    /// <exception cref="ErofsException">There are more or longer xattrs than an image holds.</exception>
    public ComposefsImage(uint mode, uint uid, uint gid, IEnumerable<ErofsXattr> xattrs)
    {
        List<int> used = Use(xattrs);
        used.Add(this.xattrs.Use("trusted.overlay.opaque"u8, "y"u8));
        Root = new ErofsNode([], null, ErofsNode.Directory | mode & 0xFFF, uid, gid, Sorted(used));
    }

    /// <summary>The directory at the top.</summary>
    public ErofsNode Root { get; }

    /// <summary>Adds a directory.</summary>
    /// <exception cref="ErofsException">The name is none, or there are more or longer xattrs than an image holds.</exception>
    public ErofsNode AddDirectory(ErofsNode parent, ReadOnlySpan<byte> name, uint mode, uint uid, uint gid, IEnumerable<ErofsXattr> xattrs) =>
        Add(parent, name, ErofsNode.Directory | mode & 0xFFF, uid, gid, Use(xattrs));

    /// <summary>Adds a symbolic link.</summary>
    /// <exception cref="ErofsException">The name or the target is none, or there are more or longer xattrs than an image holds.</exception>
    public void AddSymbolicLink(ErofsNode parent, ReadOnlySpan<byte> name, uint mode, uint uid, uint gid, IEnumerable<ErofsXattr> xattrs, ReadOnlySpan<byte> target)
    {
        if (target.Length is 0 or > LongestTarget || target.Contains((byte)0))
            throw new ErofsException("A symbolic link's target is empty, too long or has a NUL");
        ErofsNode link = Add(parent, name, ErofsNode.Link | mode & 0xFFF, uid, gid, Use(xattrs));
        link.Target = target.ToArray();
        link.Size = target.Length;
    }

    /// <summary>Adds a regular file.</summary>
    /// <param name="size">Bytes of its content.</param>
    /// <param name="path">Where the content is below the directory of objects, without a slash in front. Ignored if it is empty.</param>
    /// <param name="verity">The fs-verity digest, 32 bytes, that the kernel shall demand of the content; empty demands none.</param>
    /// <exception cref="ErofsException">The name is none, the size is negative or beyond 8 PiB, or there are more or longer xattrs than an image holds.</exception>
    public void AddFile(ErofsNode parent, ReadOnlySpan<byte> name, uint mode, uint uid, uint gid, IEnumerable<ErofsXattr> xattrs,
        long size, ReadOnlySpan<byte> path, ReadOnlySpan<byte> verity)
    {
        if (size < 0)
            throw new ErofsException("A file's size is negative");
        if (size > MaxFileSize)
            throw new ErofsException("A file is too large");
        List<int> used = Use(xattrs);
        if (size > 0)
            AddPlace(used, path, verity);
        Add(parent, name, ErofsNode.Regular | mode & 0xFFF, uid, gid, used).Size = size;
    }

    // What tells overlayfs where a file's content is, and which it must be.
    private void AddPlace(List<int> used, ReadOnlySpan<byte> path, ReadOnlySpan<byte> verity)
    {
        if (verity.Length is not (0 or Verity.VerityDigest.Size) || path.Length > LongestTarget)
            throw new ErofsException("A file's digest or its path has a wrong length");
        // u8 version, u8 length of all, u8 flags, u8 algorithm (SHA-256), digest
        Span<byte> metacopy = [0, 4 + Verity.VerityDigest.Size, 0, 1, .. verity];
        used.Add(xattrs.Use("trusted.overlay.metacopy"u8, verity.Length == 0 ? [] : metacopy));
        if (path.Length > 0)
            used.Add(xattrs.Use("trusted.overlay.redirect"u8, [(byte)'/', .. path]));
    }

    private ErofsNode Add(ErofsNode parent, ReadOnlySpan<byte> name, uint mode, uint uid, uint gid, List<int> used)
    {
        if (written)
            throw new InvalidOperationException("The image is written already");
        if (!parent.IsDirectory)
            throw new ErofsException("Only a directory has entries");
        if (name.Length is 0 or > 255 || name.ContainsAny((byte)'/', (byte)0) || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw new ErofsException("Invalid name in a directory");
        ErofsNode node = new(name.ToArray(), parent, mode, uid, gid, Sorted(used));
        parent.Children.Add(node);
        return node;
    }

    private List<int> Use(IEnumerable<ErofsXattr> items)
    {
        List<int> used = new(4);
        int space = 12;
        foreach (ErofsXattr xattr in items)
        {
            ReadOnlySpan<byte> name = xattr.Name;
            space += 7 + name.Length + xattr.Value.Length;
            if (name.Length is 0 or > 255 || space > MaxXattrSpace)
                throw new ErofsException($"The extended attribute {Printable(name)} is more than an image can hold");
            // overlayfs would take a name of its own for an instruction; with another "overlay." it is content.
            used.Add(name.StartsWith(OverlayPrefix) ? xattrs.Use([.. OverlayEscape, .. name[OverlayPrefix.Length..]], xattr.Value) : xattrs.Use(name, xattr.Value));
        }
        return used;
    }

    private static string Printable(ReadOnlySpan<byte> name) => System.Text.Encoding.UTF8.GetString(name);

    private int[] Sorted(List<int> used)
    {
        if (used.Count == 0)
            return [];
        used.Sort(xattrs.CompareNames);
        for (int i = 1; i < used.Count; i++)
            if (xattrs.CompareNames(used[i - 1], used[i]) == 0)
                throw new ErofsException("An extended attribute is there twice");
        return [.. used];
    }
}
