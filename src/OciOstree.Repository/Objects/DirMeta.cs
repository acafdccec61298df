using System.Buffers.Binary;

namespace OciOstree.Repository;

/// <summary>A directory's owner, mode and xattrs. <paramref name="Mode"/> has the type bits of a directory.</summary>
public sealed record DirMeta(uint Uid, uint Gid, uint Mode, XattrSet Xattrs)
{
    private const int FixedSize = 12;

    /// <summary>The variant <c>(uuua(ayay))</c>: uid, gid, mode, xattrs; the numbers big-endian.</summary>
    public byte[] Serialize() => Serialize(Uid, Gid, Mode, Xattrs);

    // The xattrs are the last child, so there is no framing offset at all.
    internal static byte[] Serialize(uint uid, uint gid, uint mode, XattrSet xattrs)
    {
        byte[] bytes = new byte[FixedSize + xattrs.Serialized.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, uid);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), gid);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), mode);
        xattrs.Serialized.Span.CopyTo(bytes.AsSpan(FixedSize));
        return bytes;
    }

    /// <summary>Parses a dirmeta object.</summary>
    /// <exception cref="RepositoryException">The bytes are no dirmeta in normal form, or the mode is no directory's.</exception>
    public static DirMeta Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            DirMeta parsed = ParseAny(bytes);
            if ((parsed.Mode & FileHeader.TypeMask) != FileHeader.DirectoryType)
                throw new RepositoryException($"Invalid mode {Convert.ToString(parsed.Mode, 8)}: not a directory");
            if ((parsed.Mode & ~(FileHeader.TypeMask | 0xFFFu)) != 0)
                throw new RepositoryException($"Invalid mode {Convert.ToString(parsed.Mode, 8)}: unknown bits are set");
            return parsed;
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException("Invalid dirmeta", e);
        }
    }

    /// <summary>Parses the same variant where it is a file's: the value of <c>user.ostreemeta</c>.</summary>
    internal static DirMeta ParseAny(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (span.Length < FixedSize)
            throw new RepositoryException($"{span.Length} bytes are shorter than the fixed part");
        return new DirMeta(Framing.ReadBig(span), Framing.ReadBig(span[4..]), Framing.ReadBig(span[8..]), XattrSet.Parse(bytes[FixedSize..]));
    }
}
