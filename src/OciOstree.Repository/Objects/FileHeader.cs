using System.Buffers.Binary;

namespace OciOstree.Repository;

/// <summary>
/// What a content object says of its file besides the bytes. <paramref name="Mode"/> has the type bits of a regular file or a symbolic link;
/// <paramref name="SymlinkTarget"/> is empty for a regular file.
/// </summary>
public sealed record FileHeader(uint Uid, uint Gid, uint Mode, string SymlinkTarget, XattrSet Xattrs)
{
    internal const uint TypeMask = 0xF000, RegularType = 0x8000, SymlinkType = 0xA000, DirectoryType = 0x4000;

    private const int FixedSize = 16;

    public bool IsSymlink => (Mode & TypeMask) == SymlinkType;

    public static FileHeader Regular(uint uid, uint gid, uint permissions, XattrSet xattrs) =>
        new(uid, gid, RegularType | permissions & 0xFFF, "", xattrs);

    /// <summary>A link's permissions are always 0777.</summary>
    public static FileHeader Symlink(uint uid, uint gid, string target, XattrSet xattrs) => new(uid, gid, SymlinkType | 0x1FF, target, xattrs);

    /// <summary>The variant <c>(uuuusa(ayay))</c>: uid, gid, mode, rdev (0), link target, xattrs; the numbers big-endian.</summary>
    public byte[] Serialize()
    {
        int target = Framing.StringSize(SymlinkTarget);
        byte[] bytes = new byte[Framing.TotalSize(FixedSize + target + Xattrs.Serialized.Length, 1)];
        Write(bytes, 0, target);
        return bytes;
    }

    /// <summary>The bytes that a content object's checksum starts with: u32 big-endian length of the header, four zero bytes, the header.</summary>
    public byte[] SerializeForChecksum()
    {
        int target = Framing.StringSize(SymlinkTarget);
        int size = Framing.TotalSize(FixedSize + target + Xattrs.Serialized.Length, 1);
        byte[] bytes = new byte[8 + size];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)size);
        Write(bytes.AsSpan(8), 0, target);
        return bytes;
    }

    /// <summary>
    /// What an archive's <c>.filez</c> starts with: u32 big-endian length of the header, four zero bytes,
    /// the variant <c>(tuuuusa(ayay))</c>: the content's size, then as in <see cref="Serialize"/>.
    /// </summary>
    public byte[] SerializeForArchive(long size)
    {
        int target = Framing.StringSize(SymlinkTarget);
        int header = Framing.TotalSize(8 + FixedSize + target + Xattrs.Serialized.Length, 1);
        byte[] bytes = new byte[8 + header];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)header);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), (ulong)size);
        Write(bytes.AsSpan(8), 8, target);
        return bytes;
    }

    // u32 uid, u32 gid, u32 mode, u32 rdev, string + NUL, xattrs, offset of the string's end
    private void Write(Span<byte> header, int at, int targetSize)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header[at..], Uid);
        BinaryPrimitives.WriteUInt32BigEndian(header[(at + 4)..], Gid);
        BinaryPrimitives.WriteUInt32BigEndian(header[(at + 8)..], Mode);
        at += FixedSize;
        Framing.WriteString(header[at..], SymlinkTarget);
        at += targetSize;
        Xattrs.Serialized.Span.CopyTo(header[at..]);
        int width = Framing.OffsetSize(header.Length);
        Framing.WriteOffset(header[^width..], width, at);
    }

    /// <summary>Parses a <c>(uuuusa(ayay))</c>.</summary>
    /// <exception cref="RepositoryException">The bytes are no header in normal form, or describe no regular file or link.</exception>
    public static FileHeader Parse(ReadOnlyMemory<byte> header) => Parse(header, 0);

    /// <summary>Parses an archive's <c>(tuuuusa(ayay))</c>.</summary>
    /// <exception cref="RepositoryException">The bytes are no header in normal form, or describe no regular file or link.</exception>
    public static FileHeader ParseArchive(ReadOnlyMemory<byte> header, out long size)
    {
        ulong value = header.Length < 8 ? 0 : BinaryPrimitives.ReadUInt64BigEndian(header.Span);
        if (value > long.MaxValue)
            throw new RepositoryException("Invalid file header: its size is out of range");
        size = (long)value;
        return Parse(header, 8);
    }

    private static FileHeader Parse(ReadOnlyMemory<byte> header, int start)
    {
        try
        {
            ReadOnlySpan<byte> span = header.Span;
            Framing.SplitPair(span, start + FixedSize, out ReadOnlySpan<byte> target, out ReadOnlySpan<byte> xattrs);
            uint mode = Framing.ReadBig(span[(start + 8)..]);
            if (Framing.ReadBig(span[(start + 12)..]) != 0)
                throw new RepositoryException("rdev is not 0");
            int xattrsStart = start + FixedSize + target.Length;
            FileHeader parsed = new(Framing.ReadBig(span[start..]), Framing.ReadBig(span[(start + 4)..]), mode,
                Framing.ReadString(target), XattrSet.Parse(header.Slice(xattrsStart, xattrs.Length)));
            parsed.Validate();
            return parsed;
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Invalid file header", e);
        }
    }

    /// <summary>Refuses modes that no content object may have.</summary>
    internal void Validate()
    {
        uint type = Mode & TypeMask;
        if (type is not (RegularType or SymlinkType))
            throw new RepositoryException($"Invalid mode {Convert.ToString(Mode, 8)}: neither a regular file nor a symbolic link");
        if ((Mode & ~(TypeMask | 0xFFFu)) != 0)
            throw new RepositoryException($"Invalid mode {Convert.ToString(Mode, 8)}: unknown bits are set");
        if (type == SymlinkType ? SymlinkTarget.Length == 0 : SymlinkTarget.Length != 0)
            throw new RepositoryException(type == SymlinkType ? "a symbolic link without a target" : "a regular file with a link's target");
    }
}
