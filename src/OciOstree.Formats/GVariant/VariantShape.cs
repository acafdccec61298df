namespace OciOstree.Formats.GVariant;

/// <summary>
/// What is known of a type while a text is being parsed: <c>5</c> may be any number, <c>[]</c> an array of anything, and
/// each of them may be wrapped in maybes where a sibling is.
/// </summary>
internal sealed class VariantShape
{
    /// <summary>A type letter; <c>*</c> anything, <c>N</c> a number, <c>S</c> a string, object path or signature.</summary>
    private readonly char kind;
    private readonly bool maybeWrapped;
    private readonly VariantShape[] inner;

    public static readonly VariantShape Any = new('*', false, []);
    public static readonly VariantShape Number = Value('N');
    public static readonly VariantShape Text = Value('S');

    private VariantShape(char kind, bool maybeWrapped, VariantShape[] inner)
    {
        this.kind = kind;
        this.maybeWrapped = maybeWrapped;
        this.inner = inner;
    }

    /// <summary>Of a literal: it stands for itself or for a maybe that has it.</summary>
    public static VariantShape Value(char kind, params VariantShape[] inner) => new(kind, true, inner);

    public static VariantShape Maybe(VariantShape element) => new('m', false, [element]);

    public static VariantShape Entry(VariantShape key, VariantShape value) => new('{', false, [key, value]);

    /// <summary>Exactly this type.</summary>
    public static VariantShape Of(VariantType type) => new(type.Kind, false,
        type.Element is { } element ? [Of(element)] : Array.ConvertAll(type.Members, Of));

    public bool IsBasic => kind is 'N' or 'S' or '*' || VariantType.IsBasicKind(kind);

    public VariantShape WithMaybe => maybeWrapped || kind == '*' ? this : new VariantShape(kind, true, inner);

    /// <summary>For a dictionary's key, which is never a maybe.</summary>
    public VariantShape WithoutMaybe => maybeWrapped ? Bare : this;

    /// <summary>What is common to both, or null if nothing is.</summary>
    public static VariantShape? Unify(VariantShape a, VariantShape b)
    {
        if (a.kind == '*')
            return b;
        if (b.kind == '*')
            return a;
        if (a.maybeWrapped && b.maybeWrapped)
            return Unify(a.Bare, b.Bare)?.WithMaybe;
        if (b.maybeWrapped)
            (a, b) = (b, a);
        if (a.maybeWrapped)
        {
            if (b.kind != 'm')
                return Unify(a.Bare, b);
            return Unify(a, b.inner[0]) is { } element ? Maybe(element) : null;
        }
        if (a.kind != b.kind)
            return Narrow(a, b) ?? Narrow(b, a);
        if (a.inner.Length != b.inner.Length)
            return null;
        var common = new VariantShape[a.inner.Length];
        for (int i = 0; i < common.Length; i++)
        {
            if (Unify(a.inner[i], b.inner[i]) is not { } both)
                return null;
            common[i] = both;
        }
        return new VariantShape(a.kind, false, common);
    }

    /// <summary>The type, with <c>i</c> and <c>s</c> for numbers and strings of which no more is known; null if a part is unknown.</summary>
    public VariantType? Resolve()
    {
        switch (kind)
        {
            case '*':
                return null;
            case 'N':
                return VariantType.Parse("i");
            case 'S':
                return VariantType.Parse("s");
            case 'a':
                return inner[0].Resolve() is { } element ? VariantType.ArrayOf(element) : null;
            case 'm':
                return inner[0].Resolve() is { } value ? VariantType.MaybeOf(value) : null;
            case '(' or '{':
                var members = new VariantType[inner.Length];
                for (int i = 0; i < members.Length; i++)
                {
                    if (inner[i].Resolve() is not { } member)
                        return null;
                    members[i] = member;
                }
                return kind == '(' ? VariantType.TupleOf(members) : VariantType.DictEntryOf(members[0], members[1]);
            default:
                return VariantType.Parse([kind]);
        }
    }

    private VariantShape Bare => new(kind, false, inner);

    private static VariantShape? Narrow(VariantShape open, VariantShape closed) =>
        (open.kind == 'N' && "ynqiuxthd".Contains(closed.kind)) || (open.kind == 'S' && "sog".Contains(closed.kind)) ? closed : null;
}
