using System.Buffers.Binary;

namespace OciOstree.Formats.GVariant;

/// <summary>
/// One GVariant value: its type and its serialised bytes, little-endian. Immutable, and safe to read from many threads.
/// Children are views on the same memory, made when asked for.
/// </summary>
/// <remarks>
/// As GVariant's specification demands, every sequence of bytes is a value of every type: reading bytes that are not in
/// normal form never fails, and what cannot be read has its type's default (zero, the empty string, an empty array,
/// nothing). Who must refuse such bytes asks <see cref="IsNormalForm"/> first. Asking for a value as another type than it
/// has throws <see cref="VariantException"/>.
/// </remarks>
public sealed partial class Variant : IEquatable<Variant>
{
    private readonly VariantType type;
    // How many containers are around this value, through boxes too.
    private readonly int depth;
    // 0: not known yet; 1: in normal form; -1: not. Racing threads compute the same.
    private int normal;
    // Framing of a container of variable-size children, worked out at the first look: -1 until then.
    private Framing? framing;

    private Variant(VariantType type, ReadOnlyMemory<byte> data, int depth, bool knownNormal)
    {
        this.type = type;
        this.depth = depth;
        normal = knownNormal ? 1 : 0;
        Data = data;
    }

    /// <summary>The type string, for example <c>a{sv}</c>.</summary>
    public string Type => type.Text;

    /// <summary>The serialised bytes. For a fixed-size type that was given bytes of another size, these are not the value's (which is zero).</summary>
    public ReadOnlyMemory<byte> Data { get; }

    internal VariantType TypeInfo => type;

    /// <summary>A view of serialised bytes, which must not change as long as the value is used.</summary>
    /// <exception cref="VariantException">The type is not a definite GVariant type.</exception>
    public static Variant FromBytes(string type, ReadOnlyMemory<byte> data) => new(VariantType.Parse(type), data, 0, false);

    /// <summary>How many children: elements, members, 1 for a box or a maybe that has a value; 0 for what is no container.</summary>
    public int Count => type.Kind switch
    {
        'v' => 1,
        '(' or '{' => type.Members.Length,
        'm' => MaybeHasValue ? 1 : 0,
        'a' => ArrayCount,
        _ => 0,
    };

    /// <summary>A child of a container.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such child.</exception>
    public Variant this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return type.Kind switch
            {
                'v' => Unboxed(),
                'm' => Child(type.Element!, type.Element!.IsFixed ? Data : Data[..^1]),
                'a' => ArrayElement(index),
                _ => Member(index),
            };
        }
    }

    /// <summary>The children in order.</summary>
    public IEnumerable<Variant> Children
    {
        get
        {
            int count = Count;
            for (int i = 0; i < count; i++)
                yield return this[i];
        }
    }

    public byte AsByte() => FixedData('y') is { IsEmpty: false } data ? data[0] : (byte)0;

    public bool AsBoolean() => FixedData('b') is { IsEmpty: false } data && data[0] != 0;

    public short AsInt16() => FixedData('n') is { IsEmpty: false } data ? BinaryPrimitives.ReadInt16LittleEndian(data) : (short)0;

    public ushort AsUInt16() => FixedData('q') is { IsEmpty: false } data ? BinaryPrimitives.ReadUInt16LittleEndian(data) : (ushort)0;

    public int AsInt32() => FixedData('i') is { IsEmpty: false } data ? BinaryPrimitives.ReadInt32LittleEndian(data) : 0;

    public uint AsUInt32() => FixedData('u') is { IsEmpty: false } data ? BinaryPrimitives.ReadUInt32LittleEndian(data) : 0;

    public long AsInt64() => FixedData('x') is { IsEmpty: false } data ? BinaryPrimitives.ReadInt64LittleEndian(data) : 0;

    public ulong AsUInt64() => FixedData('t') is { IsEmpty: false } data ? BinaryPrimitives.ReadUInt64LittleEndian(data) : 0;

    public double AsDouble() => FixedData('d') is { IsEmpty: false } data ? BinaryPrimitives.ReadDoubleLittleEndian(data) : 0;

    /// <summary>A handle (<c>h</c>): an index into a list of file descriptors that travels beside the value.</summary>
    public int AsHandle() => FixedData('h') is { IsEmpty: false } data ? BinaryPrimitives.ReadInt32LittleEndian(data) : 0;

    /// <summary>The text of a string, object path or signature; the empty string (for an object path, <c>/</c>) if the bytes are not one.</summary>
    public string AsString()
    {
        if (type.Kind is not ('s' or 'o' or 'g'))
            throw Mismatch("a string");
        return VariantText.TryDecode(type.Kind, Data.Span) ?? (type.Kind == 'o' ? "/" : "");
    }

    /// <summary>The bytes of an <c>ay</c>, as they are.</summary>
    public ReadOnlyMemory<byte> AsBytes() => Type == "ay" ? Data : throw Mismatch("ay");

    /// <summary>The strings of an <c>as</c>.</summary>
    public string[] AsStrings()
    {
        if (Type != "as")
            throw Mismatch("as");
        var strings = new string[Count];
        for (int i = 0; i < strings.Length; i++)
            strings[i] = this[i].AsString();
        return strings;
    }

    /// <summary>The value inside a box (<c>v</c>); <c>()</c> if the bytes are not a box.</summary>
    public Variant AsVariant() => type.Kind == 'v' ? Unboxed() : throw Mismatch("v");

    /// <summary>The value of a maybe, or null for nothing.</summary>
    public Variant? AsMaybe() => type.Kind != 'm' ? throw Mismatch("a maybe") : MaybeHasValue ? this[0] : null;

    /// <summary>
    /// The value for a key of a dictionary with string keys, the first if it is there twice; unboxed if values are boxed
    /// (<c>a{sv}</c>). Null if there is none.
    /// </summary>
    public Variant? Lookup(string key)
    {
        if (type is not { Kind: 'a', Element: { Kind: '{' } entry } || entry.Members[0].Kind is not ('s' or 'o' or 'g'))
            throw Mismatch("a dictionary with string keys");
        int count = Count;
        for (int i = 0; i < count; i++)
        {
            Variant candidate = this[i];
            if (candidate[0].AsString() != key)
                continue;
            Variant value = candidate[1];
            return value.type.Kind == 'v' ? value.Unboxed() : value;
        }
        return null;
    }

    /// <summary>
    /// As <see cref="Lookup(string)"/>, and the value must have the given type: null if it has another one.
    /// </summary>
    public Variant? Lookup(string key, string expectedType) => Lookup(key) is { } value && value.Type == expectedType ? value : null;

    private VariantException Mismatch(string wanted) => new($"a GVariant value of type {Type} was read as {wanted}");

    private ReadOnlySpan<byte> FixedData(char kind)
    {
        if (type.Kind != kind)
            throw Mismatch(kind.ToString());
        return Data.Length == type.FixedSize ? Data.Span : default;
    }

    private Variant Child(VariantType childType, ReadOnlyMemory<byte> data) => new(childType, data, depth + 1, normal == 1);

    private Variant DefaultChild(VariantType childType) => new(childType, default, depth + 1, false);
}
