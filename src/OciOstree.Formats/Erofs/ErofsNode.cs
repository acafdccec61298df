namespace OciOstree.Formats.Erofs;

/// <summary>A file, directory or symbolic link in a <see cref="ComposefsImage"/>; a directory is a place to add more to.</summary>
public sealed class ErofsNode
{
    internal const uint TypeMask = 0xF000, Directory = 0x4000, Character = 0x2000, Regular = 0x8000, Link = 0xA000;

    internal ErofsNode(byte[] name, ErofsNode? parent, uint mode, uint uid, uint gid, int[] xattrs)
    {
        (Name, Mode, Uid, Gid, Xattrs) = (name, mode, uid, gid, xattrs);
        Parent = parent ?? this;
        if (IsDirectory)
            Children = [];
    }

    internal readonly byte[] Name;
    internal readonly ErofsNode Parent;               // the root's is itself
    internal readonly List<ErofsNode> Children = None;
    internal readonly uint Mode, Uid, Gid;            // the mode with its type
    internal int[] Xattrs;                            // in the image's table, sorted by name
    internal byte[]? Target;                          // of a symbolic link
    internal long Size;                               // of a file's content or of a link's target

    // What laying out decides.
    internal uint LinkCount = 1;
    internal uint Blocks;                             // whole blocks elsewhere
    internal ushort Tail;                             // bytes inline, after the inode and its xattrs
    internal ushort Padding;                          // bytes before the inode
    internal ulong Nid;                               // where the inode is, in slots
    internal bool Compact;

    private static readonly List<ErofsNode> None = [];

    internal uint Type => Mode & TypeMask;

    internal bool IsDirectory => Type == Directory;

    /// <summary>A regular file whose content is elsewhere.</summary>
    internal bool HasContent => Type == Regular && Size > 0;
}
