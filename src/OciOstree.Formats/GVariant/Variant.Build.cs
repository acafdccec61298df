using System.Buffers.Binary;
using System.Text;

namespace OciOstree.Formats.GVariant;

// Making values. What is made is always in normal form, whatever the children's bytes were.
public sealed partial class Variant
{
    public static Variant Byte(byte value) => Leaf('y', [value]);

    public static Variant Boolean(bool value) => Leaf('b', [value ? (byte)1 : (byte)0]);

    public static Variant Int16(short value)
    {
        var data = new byte[2];
        BinaryPrimitives.WriteInt16LittleEndian(data, value);
        return Leaf('n', data);
    }

    public static Variant UInt16(ushort value)
    {
        var data = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(data, value);
        return Leaf('q', data);
    }

    public static Variant Int32(int value) => Leaf('i', Bytes4((uint)value));

    public static Variant UInt32(uint value) => Leaf('u', Bytes4(value));

    public static Variant Handle(int value) => Leaf('h', Bytes4((uint)value));

    public static Variant Int64(long value) => Leaf('x', Bytes8((ulong)value));

    public static Variant UInt64(ulong value) => Leaf('t', Bytes8(value));

    public static Variant Double(double value) => Leaf('d', Bytes8(BitConverter.DoubleToUInt64Bits(value)));

    /// <exception cref="VariantException">The text has a zero character or a lone surrogate.</exception>
    public static Variant String(string value) => Leaf('s', VariantText.Encode('s', value));

    /// <exception cref="VariantException">The text is not an object path.</exception>
    public static Variant ObjectPath(string value) => Leaf('o', VariantText.Encode('o', value));

    /// <exception cref="VariantException">The text is not a signature.</exception>
    public static Variant Signature(string value) => Leaf('g', VariantText.Encode('g', value));

    /// <summary>An <c>ay</c> of a copy of these bytes, as they are.</summary>
    public static Variant Bytes(ReadOnlySpan<byte> value) => new(VariantType.Parse("ay"), value.ToArray(), 0, true);

    /// <summary>An <c>ay</c> of this text in UTF-8 and a zero byte: what GLib calls a byte string.</summary>
    public static Variant ByteString(string value)
    {
        var data = new byte[Encoding.UTF8.GetByteCount(value) + 1];
        Encoding.UTF8.GetBytes(value, data);
        return new Variant(VariantType.Parse("ay"), data, 0, true);
    }

    /// <summary>A <c>v</c> with this value in it.</summary>
    public static Variant Boxed(Variant value)
    {
        ReadOnlySpan<byte> inner = value.Normalize().Data.Span;
        var data = new byte[inner.Length + 1 + value.Type.Length];
        inner.CopyTo(data);
        Encoding.ASCII.GetBytes(value.Type, data.AsSpan(inner.Length + 1));
        return Leaf('v', data);
    }

    /// <summary>An <c>as</c>.</summary>
    public static Variant Strings(IEnumerable<string> values) => Array("s", values.Select(String));

    /// <exception cref="VariantException">An element has another type.</exception>
    public static Variant Array(string elementType, IEnumerable<Variant> elements)
    {
        VariantType element = VariantType.Parse(elementType);
        Variant[] children = elements as Variant[] ?? elements.ToArray();
        foreach (Variant child in children)
        {
            if (child.Type != element.Text)
                throw new VariantException($"an array of {elementType} can not hold a value of type {child.Type}");
        }
        return Build(VariantType.ArrayOf(element), children);
    }

    public static Variant Tuple(params ReadOnlySpan<Variant> members)
    {
        var types = new VariantType[members.Length];
        for (int i = 0; i < types.Length; i++)
            types[i] = members[i].type;
        return Build(VariantType.TupleOf(types), members);
    }

    /// <exception cref="VariantException">The key is not of a basic type.</exception>
    public static Variant DictEntry(Variant key, Variant value)
    {
        if (!VariantType.IsBasicKind(key.type.Kind))
            throw new VariantException($"a dictionary key can not be of type {key.Type}");
        return Build(VariantType.DictEntryOf(key.type, value.type), [key, value]);
    }

    /// <summary>A maybe that has this value.</summary>
    public static Variant Just(Variant value)
    {
        ReadOnlySpan<byte> inner = value.Normalize().Data.Span;
        var data = new byte[inner.Length + (value.type.IsFixed ? 0 : 1)];
        inner.CopyTo(data);
        return new Variant(VariantType.MaybeOf(value.type), data, 0, true);
    }

    /// <summary>A maybe of this element type, without a value.</summary>
    public static Variant Nothing(string elementType) => new(VariantType.MaybeOf(VariantType.Parse(elementType)), default, 0, true);

    /// <summary>An <c>a{sv}</c>: the values get boxed, the order stays.</summary>
    public static Variant Dictionary(IEnumerable<KeyValuePair<string, Variant>> entries) =>
        Array("{sv}", entries.Select(e => DictEntry(String(e.Key), Boxed(e.Value))));

    /// <summary>
    /// The same value with the bytes of every number reversed, inside boxes too: how big-endian data reads right.
    /// </summary>
    public Variant ByteSwap()
    {
        switch (type.Kind)
        {
            case 'v':
                return Boxed(Unboxed().ByteSwap());
            case 'm':
                return MaybeHasValue ? Just(this[0].ByteSwap()) : Normalize();
            case 'a' when type.Element!.Alignment > 1 || type.Element.IsContainer:
            case '(' or '{':
                return Build(type, Children.Select(c => c.ByteSwap()).ToArray());
            case 'n' or 'q' or 'i' or 'u' or 'h' or 'x' or 't' or 'd':
                byte[] data = Normalize().Data.ToArray();
                System.Array.Reverse(data);
                return Leaf(type, data);
            default:
                return Normalize();
        }
    }

    private static byte[] Bytes4(uint value)
    {
        var data = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        return data;
    }

    private static byte[] Bytes8(ulong value)
    {
        var data = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(data, value);
        return data;
    }

    private static Variant Leaf(char kind, byte[] data) => Leaf(VariantType.Parse([kind]), data);

    private static Variant Leaf(VariantType type, byte[] data) => new(type, data, 0, true);

    /// <summary>Lays out an array, tuple or dictionary entry: aligned children, then the framing offsets.</summary>
    private static Variant Build(VariantType type, ReadOnlySpan<Variant> children)
    {
        if (type.Kind == '(' && children.IsEmpty)
            return Leaf(type, new byte[1]);
        int offsets = type.IsTuple ? type.FramingOffsets : type.Element!.IsFixed ? 0 : children.Length;
        var normal = new Variant[children.Length];
        long body = 0;
        for (int i = 0; i < normal.Length; i++)
        {
            normal[i] = children[i].Normalize();
            body = VariantType.Align(body, normal[i].type.Alignment) + normal[i].Data.Length;
        }
        if (type.IsFixed)
            body = type.FixedSize;
        long size = ContainerSize(body, offsets);
        if (size > System.Array.MaxLength)
            throw new VariantException($"a GVariant value of {size} bytes is too large");
        var data = new byte[size];
        int offsetSize = offsets == 0 ? 0 : (int)((size - body) / offsets);
        long at = 0;
        // An array's offsets follow its body in order, a tuple's are stored backwards from the end.
        long frame = type.IsTuple ? size - offsetSize : body;
        for (int i = 0; i < normal.Length; i++)
        {
            VariantType child = normal[i].type;
            at = VariantType.Align(at, child.Alignment);
            normal[i].Data.Span.CopyTo(data.AsSpan((int)at));
            at += normal[i].Data.Length;
            if (child.IsFixed || (type.IsTuple && i == normal.Length - 1))
                continue;
            WriteOffset(data, frame, offsetSize, at);
            frame += type.IsTuple ? -offsetSize : offsetSize;
        }
        return new Variant(type, data, 0, true);
    }

    private static void WriteOffset(byte[] data, long at, int size, long value)
    {
        for (int i = 0; i < size; i++)
            data[at + i] = (byte)(value >> (8 * i));
    }
}
