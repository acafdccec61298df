using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace OciOstree.Repository;

/// <summary>
/// The GVariant framing that objects' few types need, straight on spans: containers of alignment 1 whose children's ends
/// are little-endian offsets at the container's end, each of the width that the container's whole size asks for.
/// </summary>
internal static class Framing
{
    // A name or target that is not UTF-8 has no place in a GVariant string: writing one is an error, not a replacement character.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The width of the offsets in a container of this whole size.</summary>
    public static int OffsetSize(int total) => total <= byte.MaxValue ? 1 : total <= ushort.MaxValue ? 2 : 4;

    /// <summary>The whole size of a container with a body of some bytes and this many offsets.</summary>
    public static int TotalSize(int body, int offsets) =>
        body + offsets <= byte.MaxValue ? body + offsets : body + 2 * offsets <= ushort.MaxValue ? body + 2 * offsets : checked(body + 4 * offsets);

    public static int ReadOffset(ReadOnlySpan<byte> container, int position, int size)
    {
        uint offset = size switch
        {
            1 => container[position],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(container[position..]),
            _ => BinaryPrimitives.ReadUInt32LittleEndian(container[position..]),
        };
        return offset <= container.Length ? (int)offset : throw new RepositoryException("an offset points past the end");
    }

    public static void WriteOffset(Span<byte> at, int size, int value)
    {
        if (size == 1)
            at[0] = (byte)value;
        else if (size == 2)
            BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(at, (uint)value);
    }

    /// <summary>
    /// Walks an array whose elements vary in size: the last offset says where the table of offsets starts, and so how many there are.
    /// Elements that overlap, leave gaps or are out of order are refused, as the normal form demands.
    /// </summary>
    public static ArrayWalk Walk(ReadOnlySpan<byte> array) => new(array);

    internal ref struct ArrayWalk
    {
        private readonly ReadOnlySpan<byte> array;
        private readonly int size, body;
        private int index, end;

        public ArrayWalk(ReadOnlySpan<byte> array)
        {
            this.array = array;
            if (array.Length == 0)
                return;
            size = OffsetSize(array.Length);
            if (array.Length < size)
                throw new RepositoryException("an array is shorter than an offset");
            body = ReadOffset(array, array.Length - size, size);
            int table = array.Length - body;
            if (table <= 0 || table % size != 0)
                throw new RepositoryException("an array's table of offsets has no whole number of entries");
            Count = table / size;
        }

        public int Count { get; }

        public bool Next(out ReadOnlySpan<byte> element)
        {
            if (index == Count)
            {
                element = default;
                return false;
            }
            int start = end;
            end = ReadOffset(array, body + index * size, size);
            if (end < start || end > body)
                throw new RepositoryException("an array's offsets are out of order");
            index++;
            element = array[start..end];
            return true;
        }
    }

    /// <summary>Splits off a container's only framing offset: the end of the child that is not the last.</summary>
    public static void SplitPair(ReadOnlySpan<byte> container, int start, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> second)
    {
        int size = OffsetSize(container.Length);
        if (container.Length < start + size)
            throw new RepositoryException("a tuple is shorter than its fixed part");
        int end = container.Length - size, split = ReadOffset(container, end, size);
        if (split < start || split > end)
            throw new RepositoryException("a tuple's offset is out of order");
        first = container[start..split];
        second = container[split..end];
    }

    /// <summary>A string child: UTF-8, one NUL, at its end.</summary>
    public static string ReadString(ReadOnlySpan<byte> child)
    {
        if (child.Length == 0 || child[^1] != 0 || child[..^1].Contains((byte)0))
            throw new RepositoryException("a string does not end in its only NUL");
        try
        {
            return Utf8.GetString(child[..^1]);
        }
        catch (ArgumentException)
        {
            throw new RepositoryException("a string is not UTF-8");
        }
    }

    public static int StringSize(string text)
    {
        try
        {
            return Utf8.GetByteCount(text) + 1;
        }
        catch (ArgumentException)
        {
            throw new RepositoryException($"Invalid UTF-8 in '{Printable(text)}'");
        }
    }

    /// <summary>Writes a string and its NUL, giving the bytes used.</summary>
    public static int WriteString(Span<byte> at, string text)
    {
        int length = Utf8.GetBytes(text, at);
        at[length] = 0;
        return length + 1;
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsSurrogate(c) ? "\\u" + ((int)c).ToString("x4") : c.ToString()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ReadBig(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32BigEndian(at);
}
