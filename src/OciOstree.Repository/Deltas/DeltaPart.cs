using System.Buffers.Binary;
using OciOstree.Formats.Compression;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// A part, unpacked: the tables of modes and xattrs, the operations, and the payload that these take bytes from. It is the variant
/// <c>(a(uuu)aa(ayay)ayay)</c> in a file without a name, where the payload stays, for it may be large.
/// </summary>
internal sealed class DeltaPart : IDisposable
{
    internal const byte Uncompressed = 0, Xz = (byte)'x';

    // Modes, xattrs and operations are held in memory.
    private const long MaxTableSize = 64 << 20;

    private readonly TemporaryFile file;
    private readonly long payloadStart;

    private DeltaPart(TemporaryFile file, Variant modes, Variant xattrs, long payloadStart, long payloadSize, ReadOnlyMemory<byte> operations)
    {
        (this.file, Modes, Xattrs, this.payloadStart, PayloadSize, Operations) = (file, modes, xattrs, payloadStart, payloadSize, operations);
    }

    /// <summary>An <c>a(uuu)</c> of uid, gid and mode, big-endian.</summary>
    public Variant Modes { get; }

    /// <summary>An <c>aa(ayay)</c>.</summary>
    public Variant Xattrs { get; }

    public long PayloadSize { get; }

    public ReadOnlyMemory<byte> Operations { get; }

    /// <summary>Unpacks a part.</summary>
    /// <param name="stored">The bytes of its file: one for the kind of compression, then the variant.</param>
    /// <param name="room">An empty file, which the part takes over.</param>
    /// <param name="limit">How many bytes may come out: compressed data can expand without bound.</param>
    /// <exception cref="RepositoryException">It is damaged or larger than that.</exception>
    public static DeltaPart Open(Stream stored, TemporaryFile room, long limit)
    {
        try
        {
            int kind = stored.ReadByte();
            using Stream plain = kind switch
            {
                Uncompressed => stored,
                Xz => Decompressor.Open(stored, CompressionKind.Xz, leaveOpen: true),
                < 0 => throw new RepositoryException("Reading initial compression flag byte: the part is empty"),
                _ => throw new RepositoryException($"Invalid compression type '{kind}'"),
            };
            return Parse(room, Unpack(plain, room, limit));
        }
        catch (Exception e)
        {
            room.Dispose();
            if (e is CompressionException)
                throw new RepositoryException("Decompressing a static delta part", e);
            throw;
        }
    }

    private static long Unpack(Stream plain, TemporaryFile room, long limit)
    {
        byte[] buffer = new byte[128 << 10];
        long size = 0;
        for (int read; (read = plain.Read(buffer)) > 0; size += read)
        {
            if (size + read > limit)
                throw new RepositoryException($"A static delta part is larger than the {limit} bytes that its objects can need");
            Files.WriteAt(room.Handle, buffer.AsSpan(0, read), size);
        }
        return size;
    }

    // The ends of the first three members are at the variant's end, the last one's first, each as wide as the variant's length demands.
    private static DeltaPart Parse(TemporaryFile file, long size)
    {
        int width = size switch { <= byte.MaxValue => 1, <= ushort.MaxValue => 2, <= uint.MaxValue => 4, _ => 8 };
        long body = size - 3 * width;
        if (body < 0)
            throw Malformed();
        byte[] framing = Read(file, body, 3 * width);
        long modesEnd = End(2), xattrsEnd = End(1), payloadEnd = End(0);
        if (modesEnd > xattrsEnd || xattrsEnd > payloadEnd || payloadEnd > body || modesEnd > MaxTableSize || xattrsEnd - modesEnd > MaxTableSize || body - payloadEnd > MaxTableSize)
            throw Malformed();
        Variant modes = Variant.FromBytes("a(uuu)", Read(file, 0, modesEnd)), xattrs = Variant.FromBytes("aa(ayay)", Read(file, modesEnd, xattrsEnd - modesEnd));
        if (!modes.IsNormalForm() || !xattrs.IsNormalForm())
            throw Malformed();
        return new DeltaPart(file, modes, xattrs, xattrsEnd, payloadEnd - xattrsEnd, Read(file, payloadEnd, body - payloadEnd));

        long End(int index)
        {
            Span<byte> wide = stackalloc byte[8];
            wide.Clear();
            framing.AsSpan(index * width, width).CopyTo(wide);
            long end = BinaryPrimitives.ReadInt64LittleEndian(wide);
            return end < 0 ? throw Malformed() : end;
        }

        static RepositoryException Malformed() => new("Invalid static delta part: it is not in normal form");
    }

    private static byte[] Read(TemporaryFile file, long at, long length)
    {
        byte[] bytes = new byte[length];
        for (int filled = 0, read; filled < bytes.Length; filled += read)
            if ((read = Files.ReadAt(file.Handle, bytes.AsSpan(filled), at + filled)) == 0)
                throw new RepositoryException("Invalid static delta part: it ends early");
        return bytes;
    }

    /// <summary>Reads from the payload; the range must have been checked to lie in it.</summary>
    public int ReadPayload(Span<byte> buffer, long at) => Files.ReadAt(file.Handle, buffer, payloadStart + at);

    /// <summary>Reads a small piece of the payload whole.</summary>
    public byte[] ReadPayload(long at, int length) => Read(file, payloadStart + at, length);

    /// <summary>The largest that a part can be whose header is this.</summary>
    public static long Limit(DeltaPartHeader header)
    {
        // Differences are as long as what they make, and their controls can come to as much; links, modes and xattrs do not count among the sizes.
        const long perPart = 1 << 20, perObject = 128 << 10;
        return header.UncompressedSize > long.MaxValue / 8 ? long.MaxValue : 4 * (long)header.UncompressedSize + perPart + perObject * header.Objects.Count;
    }

    public void Dispose() => file.Dispose();
}
