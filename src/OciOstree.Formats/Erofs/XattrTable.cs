using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OciOstree.Formats.Erofs;

/// <summary>
/// All xattrs of an image, each pair of name and value once, kept as the bytes that the image has of them:
/// a tree of many files has two for each, and as objects they would take more memory than all the rest.
/// </summary>
internal sealed class XattrTable
{
    private const int ChunkSize = 64 << 10, HeadSize = 4, LongestName = 255 + 16;

    // The numbers that stand for the beginnings of names; longer ones must not stand behind others that they begin with.
    private static readonly (byte[] Prefix, byte Index)[] Prefixes =
    [
        ("user."u8.ToArray(), 1), ("system.posix_acl_access"u8.ToArray(), 2), ("system.posix_acl_default"u8.ToArray(), 3),
        ("trusted."u8.ToArray(), 4), ("security."u8.ToArray(), 6),
    ];

    private readonly List<byte[]> chunks = [];
    private readonly List<Entry> entries = [];
    private int[] buckets = new int[1024];   // 1 + the first entry of a chain
    private int filled = ChunkSize;          // of the last chunk

    private struct Entry
    {
        public int Chunk, Offset, Length, Next;
        public uint Hash, Uses, SharedOffset;
    }

    /// <summary>Bytes of those that more than one node has, which are stored together once.</summary>
    public uint SharedSize { get; private set; }

    /// <summary>Those that more than one node has, in the image's order.</summary>
    public int[] Shared { get; private set; } = [];

    /// <summary>Whether any is an access control list.</summary>
    public bool HasAcl { get; private set; }

    /// <summary>Counts one use of an xattr.</summary>
    /// <param name="value">At most 65,535 bytes; the name at most 255 after its known prefix.</param>
    /// <returns>Its number in this table.</returns>
    public int Use(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        byte index = 0;
        ReadOnlySpan<byte> suffix = name;
        foreach ((byte[] prefix, byte number) in Prefixes)
        {
            if (!name.StartsWith(prefix))
                continue;
            suffix = name[prefix.Length..];
            index = number;
            break;
        }
        HasAcl |= index is 2 or 3 && suffix.Length == 0;
        uint hash = XxHash32.Compute(value, XxHash32.Compute(suffix, index));
        for (int i = buckets[hash % (uint)buckets.Length] - 1; i >= 0; i = entries[i].Next)
        {
            if (entries[i].Hash != hash || !IsEntry(i, index, suffix, value))
                continue;
            CollectionsMarshal.AsSpan(entries)[i].Uses++;
            return i;
        }
        return Add(hash, index, suffix, value);
    }

    private bool IsEntry(int i, byte index, ReadOnlySpan<byte> suffix, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> bytes = Bytes(i);
        return bytes[1] == index && Suffix(bytes).SequenceEqual(suffix) && Value(bytes).SequenceEqual(value);
    }

    private int Add(uint hash, byte index, ReadOnlySpan<byte> suffix, ReadOnlySpan<byte> value)
    {
        if (entries.Count == buckets.Length)
            Rehash();
        // u8 length of the name, u8 its prefix, u16 length of the value, name, value, zeros to a multiple of four
        int length = HeadSize + suffix.Length + value.Length + 3 & ~3;
        if (filled + length > ChunkSize)
        {
            chunks.Add(new byte[Math.Max(ChunkSize, length)]);
            filled = 0;
        }
        Span<byte> bytes = chunks[^1].AsSpan(filled, length);
        bytes[0] = (byte)suffix.Length;
        bytes[1] = index;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], (ushort)value.Length);
        suffix.CopyTo(bytes[HeadSize..]);
        value.CopyTo(bytes[(HeadSize + suffix.Length)..]);
        ref int bucket = ref buckets[hash % (uint)buckets.Length];
        entries.Add(new Entry { Chunk = chunks.Count - 1, Offset = filled, Length = length, Next = bucket - 1, Hash = hash, Uses = 1 });
        filled += length;
        bucket = entries.Count;
        return entries.Count - 1;
    }

    private void Rehash()
    {
        buckets = new int[2 * buckets.Length];
        Span<Entry> all = CollectionsMarshal.AsSpan(entries);
        for (int i = 0; i < all.Length; i++)
        {
            ref int bucket = ref buckets[all[i].Hash % (uint)buckets.Length];
            all[i].Next = bucket - 1;
            bucket = i + 1;
        }
    }

    /// <summary>Finds out which are shared, and where each of them will be. None can be used any more after this.</summary>
    public void Share()
    {
        buckets = [];
        Span<Entry> all = CollectionsMarshal.AsSpan(entries);
        List<int> shared = [];
        for (int i = 0; i < all.Length; i++)
            if (all[i].Uses > 1)
                shared.Add(i);
        // Backwards by name, then the longer value first, then backwards by value.
        shared.Sort((a, b) =>
        {
            int order = CompareNames(b, a);
            if (order != 0)
                return order;
            ReadOnlySpan<byte> x = Value(Bytes(b)), y = Value(Bytes(a));
            return x.Length != y.Length ? x.Length - y.Length : x.SequenceCompareTo(y);
        });
        foreach (int i in shared)
        {
            all[i].SharedOffset = SharedSize;
            SharedSize += (uint)all[i].Length;
        }
        Shared = [.. shared];
    }

    public bool IsShared(int i) => entries[i].Uses > 1;

    /// <summary>Bytes from the beginning of the shared ones.</summary>
    public uint SharedOffset(int i) => entries[i].SharedOffset;

    /// <summary>The xattr as the image has it.</summary>
    public ReadOnlySpan<byte> Bytes(int i)
    {
        Entry entry = entries[i];
        return chunks[entry.Chunk].AsSpan(entry.Offset, entry.Length);
    }

    /// <summary>The bit that says, where it is not set in a node's filter, that the node may have an xattr of this name.</summary>
    public uint FilterBit(int i)
    {
        ReadOnlySpan<byte> bytes = Bytes(i);
        return 1u << (int)(XxHash32.Compute(Suffix(bytes), 0x25BBE08Fu + bytes[1]) & 31);
    }

    /// <summary>The order of whole names, by their bytes.</summary>
    public int CompareNames(int a, int b)
    {
        ReadOnlySpan<byte> left = Bytes(a), right = Bytes(b);
        if (left[1] == right[1])
            return Suffix(left).SequenceCompareTo(Suffix(right));
        Span<byte> leftName = stackalloc byte[LongestName], rightName = stackalloc byte[LongestName];
        return Name(left, leftName).SequenceCompareTo(Name(right, rightName));
    }

    /// <summary>The value of a node's xattr by its whole name; false if it has none.</summary>
    public bool TryGet(ReadOnlySpan<int> xattrs, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        Span<byte> buffer = stackalloc byte[LongestName];
        foreach (int i in xattrs)
        {
            value = Value(Bytes(i));
            if (Name(Bytes(i), buffer).SequenceEqual(name))
                return true;
        }
        value = default;
        return false;
    }

    private static ReadOnlySpan<byte> Suffix(ReadOnlySpan<byte> bytes) => bytes.Slice(HeadSize, bytes[0]);

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> bytes) => bytes.Slice(HeadSize + bytes[0], BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]));

    private static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> bytes, Span<byte> buffer)
    {
        int length = 0;
        foreach ((byte[] prefix, byte index) in Prefixes)
        {
            if (index != bytes[1])
                continue;
            prefix.CopyTo(buffer);
            length = prefix.Length;
        }
        Suffix(bytes).CopyTo(buffer[length..]);
        return buffer[..(length + bytes[0])];
    }
}
