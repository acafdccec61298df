using System.Buffers.Binary;

namespace OciOstree.Formats.GVariant;

// Where the children of a container lie in its bytes. The rules, for bytes in normal form and for any others, are
// those of the GVariant specification and, where it leaves a choice, of GLib >= 2.74.4 (which refuses children that
// overlap or lie out of order, so that small bytes can not stand for a huge value).
public sealed partial class Variant
{
    /// <summary>The framing of an array of variable-size elements, or of a tuple.</summary>
    private sealed record Framing(int OffsetSize, int BodyEnd, int Count, int LastOrdered, bool IsMinimal);

    private bool MaybeHasValue => type.Element!.IsFixed ? Data.Length == type.Element.FixedSize : Data.Length > 0;

    private int ArrayCount
    {
        get
        {
            if (Data.Length == 0)
                return 0;
            int size = type.Element!.FixedSize;
            if (size != 0)
                return Data.Length % size == 0 ? Data.Length / size : 0;
            return ArrayFraming().Count;
        }
    }

    /// <summary>Bytes of one framing offset in a container of this many bytes: the smallest that can express its length.</summary>
    private static int OffsetSize(long containerSize) => containerSize switch
    {
        0 => 0,
        <= byte.MaxValue => 1,
        <= ushort.MaxValue => 2,
        <= uint.MaxValue => 4,
        _ => 8,
    };

    /// <summary>Bytes of a container with this body and so many framing offsets.</summary>
    private static long ContainerSize(long body, long offsets)
    {
        if (body + offsets <= byte.MaxValue)
            return body + offsets;
        if (body + 2 * offsets <= ushort.MaxValue)
            return body + 2 * offsets;
        return body + 4 * offsets <= uint.MaxValue ? body + 4 * offsets : body + 8 * offsets;
    }

    private static long ReadOffset(ReadOnlySpan<byte> data, long at, int size) => size switch
    {
        0 => 0,
        1 => data[(int)at],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(data[(int)at..]),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(data[(int)at..]),
        // Memory is never that large: what does not fit is as invalid as the largest value.
        _ => (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(data[(int)at..]), long.MaxValue / 2),
    };

    private Framing ArrayFraming()
    {
        if (framing is { } known)
            return known;
        ReadOnlySpan<byte> data = Data.Span;
        int offsetSize = OffsetSize(data.Length);
        long end = data.Length == 0 ? 0 : ReadOffset(data, data.Length - offsetSize, offsetSize);
        if (data.Length == 0 || end > data.Length || (data.Length - end) % offsetSize != 0)
            return framing = new Framing(offsetSize, 0, 0, -1, data.Length == 0);
        int count = (int)((data.Length - end) / offsetSize);
        // Child i is valid only if no offset before its own is larger than its successor.
        int ordered = 0;
        while (ordered + 1 < count && ReadOffset(data, end + (long)ordered * offsetSize, offsetSize) <= ReadOffset(data, end + (ordered + 1L) * offsetSize, offsetSize))
            ordered++;
        return framing = new Framing(offsetSize, (int)end, count, ordered, count > 0 && ContainerSize(end, count) == data.Length);
    }

    private Variant ArrayElement(int index)
    {
        VariantType element = type.Element!;
        if (element.IsFixed)
            return Child(element, Data.Slice(index * element.FixedSize, element.FixedSize));
        Framing f = ArrayFraming();
        if (index > f.LastOrdered)
            return DefaultChild(element);
        ReadOnlySpan<byte> data = Data.Span;
        long start = index == 0 ? 0 : VariantType.Align(ReadOffset(data, f.BodyEnd + (index - 1L) * f.OffsetSize, f.OffsetSize), element.Alignment);
        long end = ReadOffset(data, f.BodyEnd + (long)index * f.OffsetSize, f.OffsetSize);
        return start < end && end <= f.BodyEnd ? Child(element, Data[(int)start..(int)end]) : DefaultChild(element);
    }

    /// <summary>
    /// Start and end of a member, as the bytes claim: nothing is checked but that the framing offsets read are inside.
    /// The start is counted from the last framing offset before it, so the members before need not be read.
    /// </summary>
    private void MemberBounds(int index, int offsetSize, out long start, out long end)
    {
        ReadOnlySpan<byte> data = Data.Span;
        VariantType member = type.Members[index];
        // The first framing offset is the last in the bytes.
        long used = type.FramesBefore(index);
        long from = used > 0 && offsetSize * used <= data.Length ? ReadOffset(data, data.Length - offsetSize * used, offsetSize) : 0;
        start = type.MemberStart(index, from);
        if (member.IsFixed)
            end = start + member.FixedSize;
        else if (index == type.Members.Length - 1)
            end = offsetSize * used <= data.Length ? data.Length - offsetSize * used : 0;
        else
            end = offsetSize * (used + 1) <= data.Length ? ReadOffset(data, data.Length - offsetSize * (used + 1), offsetSize) : 0;
    }

    private Framing TupleFraming()
    {
        if (framing is { } known)
            return known;
        int offsetSize = type.IsFixed ? 0 : OffsetSize(Data.Length);
        int ordered = -1;
        long bodyEnd = 0;
        if (type.Members.Length > 0 && (!type.IsFixed || Data.Length == type.FixedSize))
        {
            // No member may reach beyond the end of the last one, wherever that claims to be.
            MemberBounds(type.Members.Length - 1, offsetSize, out _, out bodyEnd);
            long lastEnd = 0;
            for (int i = 0; i < type.Members.Length; i++)
            {
                MemberBounds(i, offsetSize, out long start, out long end);
                if (start < lastEnd || end < start || end > Data.Length)
                    break;
                lastEnd = end;
                ordered = i;
            }
        }
        return framing = new Framing(offsetSize, (int)Math.Clamp(bodyEnd, 0, Data.Length), type.Members.Length, ordered, true);
    }

    private Variant Member(int index)
    {
        VariantType member = type.Members[index];
        Framing f = TupleFraming();
        if (index > f.LastOrdered)
            return DefaultChild(member);
        MemberBounds(index, f.OffsetSize, out long start, out long end);
        return start < end && end <= f.BodyEnd ? Child(member, Data[(int)start..(int)end]) : DefaultChild(member);
    }

    /// <summary>A box: the value's bytes, a zero byte, the value's type string. The last zero byte is the one that counts.</summary>
    private Variant Unboxed()
    {
        ReadOnlySpan<byte> data = Data.Span;
        int zero = data.LastIndexOf((byte)0);
        if (zero >= 0)
        {
            ReadOnlySpan<byte> name = data[(zero + 1)..];
            Span<char> text = name.Length <= 256 ? stackalloc char[name.Length] : new char[name.Length];
            for (int i = 0; i < name.Length; i++)
                text[i] = (char)name[i];
            if (VariantType.TryParse(text) is { } inner
                && depth + inner.Depth < VariantType.MaxDepth
                && (!inner.IsFixed || inner.FixedSize == zero))
                return Child(inner, Data[..zero]);
        }
        return DefaultChild(VariantType.Parse("()"));
    }
}
