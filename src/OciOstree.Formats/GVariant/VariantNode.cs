using System.Globalization;

namespace OciOstree.Formats.GVariant;

/// <summary>A piece of a parsed text, before its type is known. Positions are characters in the text.</summary>
internal abstract class VariantNode(int start, int end)
{
    public int Start { get; } = start;
    public int End { get; } = end;

    /// <summary>What the text alone tells of the type.</summary>
    public abstract VariantShape Shape();

    /// <summary>The value as this type.</summary>
    public virtual Variant ToValue(VariantType type)
    {
        if (!type.IsMaybe)
            return ToBareValue(type);
        // Where a maybe is wanted, a plain value is one that has it.
        return Variant.Just(ToValue(type.Element!));
    }

    /// <summary>The value as the type that its text tells.</summary>
    public Variant Resolve() => ToValue(Shape().Resolve() ?? throw Complain("unable to infer type"));

    public static VariantException Complaint(int start, int end, string message) =>
        new(start == end ? $"{start}:{message}" : $"{start}-{end}:{message}");

    protected abstract Variant ToBareValue(VariantType type);

    protected VariantException Complain(string message) => Complaint(Start, End, message);

    protected VariantException CannotBe(VariantType type) => Complain($"can not parse as value of type '{type.Text}'");

    /// <summary>What all of them have in common.</summary>
    protected static VariantShape Common(IReadOnlyList<VariantNode> nodes)
    {
        VariantShape common = nodes[0].Shape();
        for (int i = 1; i < nodes.Count; i++)
        {
            if (VariantShape.Unify(common, nodes[i].Shape()) is { } both)
            {
                common = both;
                continue;
            }
            // Name the earliest one that this one does not go with.
            VariantNode other = nodes.Take(i).FirstOrDefault(n => VariantShape.Unify(n.Shape(), nodes[i].Shape()) is null) ?? nodes[i - 1];
            throw new VariantException($"{other.Start}-{other.End},{nodes[i].Start}-{nodes[i].End}:unable to find a common type");
        }
        return common;
    }
}

internal sealed class MaybeNode(int start, int end, VariantNode? child) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Maybe(child?.Shape() ?? VariantShape.Any);

    public override Variant ToValue(VariantType type)
    {
        if (!type.IsMaybe)
            throw CannotBe(type);
        return child is null ? Variant.Nothing(type.Element!.Text) : Variant.Just(child.ToValue(type.Element!));
    }

    protected override Variant ToBareValue(VariantType type) => ToValue(type);
}

internal sealed class ArrayNode(int start, int end, IReadOnlyList<VariantNode> elements) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Value('a', elements.Count == 0 ? VariantShape.Any : Common(elements));

    protected override Variant ToBareValue(VariantType type)
    {
        if (type.Kind != 'a')
            throw CannotBe(type);
        return Variant.Array(type.Element!.Text, elements.Select(e => e.ToValue(type.Element!)));
    }
}

internal sealed class TupleNode(int start, int end, IReadOnlyList<VariantNode> members) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Value('(', members.Select(m => m.Shape()).ToArray());

    protected override Variant ToBareValue(VariantType type)
    {
        if (type.Kind != '(' || type.Members.Length != members.Count)
            throw CannotBe(type);
        return Variant.Tuple(members.Select((m, i) => m.ToValue(type.Members[i])).ToArray());
    }
}

internal sealed class BoxNode(int start, int end, VariantNode child) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Value('v');

    protected override Variant ToBareValue(VariantType type) => type.Kind == 'v' ? Variant.Boxed(child.Resolve()) : throw CannotBe(type);
}

internal sealed class DictionaryNode(int start, int end, IReadOnlyList<VariantNode> keys, IReadOnlyList<VariantNode> values, bool isEntry)
    : VariantNode(start, end)
{
    public override VariantShape Shape()
    {
        if (keys.Count == 0)
            return VariantShape.Value('a', VariantShape.Entry(VariantShape.Any, VariantShape.Any));
        VariantShape key = Common(keys).WithoutMaybe;
        if (!key.IsBasic)
            throw Complain("dictionary keys must have basic types");
        // The first value decides, as in GLib: {'a': 1, 'b': 2.5} is an error where [1, 2.5] is not.
        VariantShape entry = VariantShape.Entry(key, values[0].Shape());
        return isEntry ? entry.WithMaybe : VariantShape.Value('a', entry);
    }

    protected override Variant ToBareValue(VariantType type)
    {
        VariantType? entry = isEntry ? type : type.Kind == 'a' ? type.Element : null;
        if (entry is not { Kind: '{' })
            throw CannotBe(type);
        IEnumerable<Variant> entries = keys.Select((k, i) => Variant.DictEntry(k.ToValue(entry.Members[0]), values[i].ToValue(entry.Members[1])));
        return isEntry ? entries.First() : Variant.Array(entry.Text, entries);
    }
}

internal sealed class NumberNode(int start, int end, string token) : VariantNode(start, end)
{
    private bool IsFraction => token.Contains('.') || (!token.StartsWith("0x", StringComparison.Ordinal) && token.Contains('e'))
        || token.Contains("inf", StringComparison.Ordinal) || token.Contains("nan", StringComparison.Ordinal);

    public override VariantShape Shape() => IsFraction ? VariantShape.Value('d') : VariantShape.Number;

    protected override Variant ToBareValue(VariantType type) => type.Kind switch
    {
        'd' => Variant.Double(ToDouble()),
        'y' => Variant.Byte((byte)ToInteger(type, 0, byte.MaxValue)),
        'n' => Variant.Int16((short)ToInteger(type, short.MinValue, short.MaxValue)),
        'q' => Variant.UInt16((ushort)ToInteger(type, 0, ushort.MaxValue)),
        'i' => Variant.Int32((int)ToInteger(type, int.MinValue, int.MaxValue)),
        'h' => Variant.Handle((int)ToInteger(type, int.MinValue, int.MaxValue)),
        'u' => Variant.UInt32((uint)ToInteger(type, 0, uint.MaxValue)),
        'x' => Variant.Int64((long)ToInteger(type, long.MinValue, long.MaxValue)),
        't' => Variant.UInt64((ulong)ToInteger(type, 0, ulong.MaxValue)),
        _ => throw CannotBe(type),
    };

    private double ToDouble()
    {
        string digits = token.TrimStart('-', '+');
        if (token.Length - digits.Length > 1)
            throw Complaint(Start, Start + 1, "invalid character in number");
        double magnitude = digits switch
        {
            "inf" or "infinity" => double.PositiveInfinity,
            // .NET's own constant has the sign bit set.
            _ => BitConverter.UInt64BitsToDouble(0x7ff8_0000_0000_0000),
        };
        if (digits is not ("inf" or "infinity" or "nan")
            && !double.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out magnitude))
        {
            if (!digits.StartsWith("0x", StringComparison.Ordinal)
                || !ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong hex))
            {
                int valid = digits.Length;
                while (valid > 0 && !double.TryParse(digits.AsSpan(0, valid), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out _))
                    valid--;
                int at = Start + token.Length - digits.Length + valid;
                throw Complaint(at, at + 1, "invalid character in number");
            }
            magnitude = hex;
        }
        if (double.IsInfinity(magnitude) && !digits.StartsWith("inf", StringComparison.Ordinal))
            throw Complain("number too big for any type");
        return token[0] == '-' ? -magnitude : magnitude;
    }

    private Int128 ToInteger(VariantType type, Int128 minimum, Int128 maximum)
    {
        int at = 0;
        bool negative = false;
        if (token[0] is '-' or '+')
        {
            negative = token[0] == '-';
            at = 1;
        }
        int radix = 10;
        if (at + 1 < token.Length && token[at] == '0')
        {
            bool hex = token[at + 1] is 'x' or 'X' && at + 2 < token.Length && char.IsAsciiHexDigit(token[at + 2]);
            radix = hex ? 16 : 8;
            at += hex ? 2 : 1;
        }
        UInt128 magnitude = 0;
        int first = at;
        for (; at < token.Length; at++)
        {
            int digit = char.IsAsciiHexDigit(token[at]) ? Convert.ToInt32(token[at].ToString(), 16) : 99;
            if (digit >= radix)
                break;
            magnitude = magnitude * (uint)radix + (uint)digit;
            if (magnitude > ulong.MaxValue)
                throw Complain("integer too big for any type");
        }
        if (at < token.Length || (at == first && radix == 10))
            throw Complaint(Start + at, Start + at + 1, "invalid character in number");
        Int128 value = negative ? -(Int128)magnitude : (Int128)magnitude;
        if (value < minimum || value > maximum)
            throw Complain($"number out of range for type '{type.Text}'");
        return value;
    }
}

internal sealed class BooleanNode(int start, int end, bool value) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Value('b');

    protected override Variant ToBareValue(VariantType type) => type.Kind == 'b' ? Variant.Boolean(value) : throw CannotBe(type);
}

internal sealed class TextNode(int start, int end, string value) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Text;

    protected override Variant ToBareValue(VariantType type)
    {
        try
        {
            return type.Kind switch
            {
                's' => Variant.String(value),
                'o' => Variant.ObjectPath(value),
                'g' => Variant.Signature(value),
                _ => throw CannotBe(type),
            };
        }
        catch (VariantException) when (type.Kind is 'o' or 'g')
        {
            throw Complain(type.Kind == 'o' ? "not a valid object path" : "not a valid signature");
        }
    }
}

internal sealed class ByteStringNode(int start, int end, byte[] value) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Value('a', VariantShape.Of(VariantType.Parse("y")));

    protected override Variant ToBareValue(VariantType type)
    {
        if (type.Text != "ay")
            throw CannotBe(type);
        return Variant.Bytes([.. value, 0]);
    }
}

internal sealed class TypedNode(int start, int end, VariantType type, VariantNode child) : VariantNode(start, end)
{
    public override VariantShape Shape() => VariantShape.Of(type);

    // Where a type is wanted, it wins over the annotation, as in GLib.
    public override Variant ToValue(VariantType wanted) => child.ToValue(wanted);

    protected override Variant ToBareValue(VariantType wanted) => ToValue(wanted);
}
