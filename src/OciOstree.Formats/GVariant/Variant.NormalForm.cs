namespace OciOstree.Formats.GVariant;

// Normal form: the one serialisation that a value has. What is hashed or signed has to be in it.
public sealed partial class Variant
{
    /// <summary>Whether the bytes are exactly those that a writer produces for the value that they stand for.</summary>
    public bool IsNormalForm()
    {
        if (normal == 0)
            normal = ComputeNormal() ? 1 : -1;
        return normal == 1;
    }

    /// <summary>The same value in normal form: itself, or a copy where its bytes are not.</summary>
    public Variant Normalize()
    {
        if (IsNormalForm())
            return this;
        switch (type.Kind)
        {
            case 's' or 'o' or 'g':
                return Leaf(type, VariantText.Encode(type.Kind, AsString()));
            case 'b':
                return Boolean(AsBoolean());
            case 'v':
                return Boxed(Unboxed().Normalize());
            case 'm':
                return MaybeHasValue ? Just(this[0].Normalize()) : Nothing(type.Element!.Text);
            case 'a':
                return Build(type, Children.Select(c => c.Normalize()).ToArray());
            case '(' or '{':
                return Build(type, Children.Select(c => c.Normalize()).ToArray());
            default:
                // Numbers: any bytes of the right size are normal, so these are of a wrong one, which is zero.
                return Leaf(type, new byte[type.FixedSize]);
        }
    }

    /// <summary>Same type and same value.</summary>
    public bool Equals(Variant? other) =>
        other is not null && (ReferenceEquals(this, other)
            || (Type == other.Type && Normalize().Data.Span.SequenceEqual(other.Normalize().Data.Span)));

    public override bool Equals(object? obj) => Equals(obj as Variant);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Type);
        hash.AddBytes(Normalize().Data.Span);
        return hash.ToHashCode();
    }

    private bool ComputeNormal()
    {
        ReadOnlySpan<byte> data = Data.Span;
        if (depth >= VariantType.MaxDepth)
            return false;
        switch (type.Kind)
        {
            case 'b':
                return data.Length == 1 && data[0] <= 1;
            case 's' or 'o' or 'g':
                return VariantText.IsValid(type.Kind, data);
            case 'v':
                int zero = data.LastIndexOf((byte)0);
                if (zero < 0)
                    return false;
                Variant inner = Unboxed();
                // A box whose type is refused reads as (), with no bytes: its own normal form is one zero byte.
                return inner.Data.Length == zero && inner.IsNormalForm();
            case 'm':
                if (data.Length == 0)
                    return true;
                if (type.Element!.IsFixed)
                    return data.Length == type.Element.FixedSize && this[0].IsNormalForm();
                return data[^1] == 0 && this[0].IsNormalForm();
            case 'a':
                return type.Element!.IsFixed ? IsNormalFixedArray() : IsNormalVariableArray();
            case '(' or '{':
                return IsNormalTuple();
            default:
                return data.Length == type.FixedSize;
        }
    }

    private bool IsNormalFixedArray()
    {
        VariantType element = type.Element!;
        ReadOnlySpan<byte> data = Data.Span;
        if (data.Length % element.FixedSize != 0)
            return false;
        if (element.Kind == 'b')
            return data.IndexOfAnyExceptInRange((byte)0, (byte)1) < 0;
        if (!element.IsContainer)
            return true;
        for (int at = 0; at < data.Length; at += element.FixedSize)
        {
            if (!Child(element, Data.Slice(at, element.FixedSize)).IsNormalForm())
                return false;
        }
        return true;
    }

    private bool IsNormalVariableArray()
    {
        Framing f = ArrayFraming();
        if (!f.IsMinimal)
            return false;
        VariantType element = type.Element!;
        ReadOnlySpan<byte> data = Data.Span;
        long at = 0;
        for (int i = 0; i < f.Count; i++)
        {
            long end = ReadOffset(data, f.BodyEnd + (long)i * f.OffsetSize, f.OffsetSize);
            if (end < at || end > f.BodyEnd)
                return false;
            if (!SkipPadding(data, ref at, element.Alignment, end))
                return false;
            if (!Child(element, Data[(int)at..(int)end]).IsNormalForm())
                return false;
            at = end;
        }
        return at == f.BodyEnd;
    }

    private bool IsNormalTuple()
    {
        ReadOnlySpan<byte> data = Data.Span;
        if (type.IsFixed && data.Length != type.FixedSize)
            return false;
        int offsetSize = type.IsFixed ? 0 : OffsetSize(data.Length);
        long at = 0;
        long framesAt = data.Length;
        for (int i = 0; i < type.Members.Length; i++)
        {
            VariantType member = type.Members[i];
            if (!SkipPadding(data, ref at, member.Alignment, data.Length))
                return false;
            long end;
            if (member.IsFixed)
            {
                end = at + member.FixedSize;
            }
            else if (i == type.Members.Length - 1)
            {
                end = framesAt;
            }
            else
            {
                framesAt -= offsetSize;
                if (framesAt < 0 || offsetSize == 0)
                    return false;
                end = ReadOffset(data, framesAt, offsetSize);
            }
            if (end < at || end > framesAt)
                return false;
            if (!Child(member, Data[(int)at..(int)end]).IsNormalForm())
                return false;
            at = end;
        }
        if (type.IsFixed)
            return data[(int)at..].IndexOfAnyExcept((byte)0) < 0;
        return at == framesAt && ContainerSize(at, type.FramingOffsets) == data.Length;
    }

    /// <summary>Moves to the alignment; false if a byte on the way is not zero or beyond the end.</summary>
    private static bool SkipPadding(ReadOnlySpan<byte> data, ref long at, int alignment, long end)
    {
        while ((at & (alignment - 1)) != 0)
        {
            if (at >= end || data[(int)at] != 0)
                return false;
            at++;
        }
        return true;
    }
}
