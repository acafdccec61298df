using System.Collections.Concurrent;

namespace OciOstree.Formats.GVariant;

/// <summary>
/// A parsed, definite GVariant type: what the serialisation needs to know about it. The nodes of one type string
/// are shared by every value of that type, so a child view costs no parsing.
/// </summary>
internal sealed class VariantType
{
    /// <summary>How deep containers may nest, in one type and through boxed values together (GLib's limit).</summary>
    public const int MaxDepth = 128;

    // Types come from files too (boxed values name theirs), so only short ones are kept and only so many of them.
    private const int CachedLength = 48;
    private const int CachedCount = 1024;
    private static readonly ConcurrentDictionary<string, VariantType> Cache = new(StringComparer.Ordinal);
    private static int cached;

    /// <summary>The first character: a basic type's own letter, <c>v</c>, <c>a</c>, <c>m</c>, <c>(</c> or <c>{</c>.</summary>
    public readonly char Kind;
    public readonly string Text;
    /// <summary>1, 2, 4 or 8.</summary>
    public readonly int Alignment;
    /// <summary>Bytes of every value of this type; 0 if values differ in size.</summary>
    public readonly int FixedSize;
    /// <summary>1 for a basic type, one more for each container around it.</summary>
    public readonly int Depth;
    /// <summary>Of <c>a</c> and <c>m</c>.</summary>
    public readonly VariantType? Element;
    /// <summary>Of <c>(</c> and <c>{</c>; else empty.</summary>
    public readonly VariantType[] Members;
    /// <summary>How many framing offsets a value of this tuple or dictionary entry ends with.</summary>
    public readonly int FramingOffsets;

    // For each member and each remainder by 8 of the framing offset (or 0) that it is counted from: where the member starts.
    private int[]? memberStarts;
    private int[]? memberFrames;

    public bool IsFixed => FixedSize != 0;
    public bool IsContainer => Kind is 'a' or 'm' or '(' or '{' or 'v';
    public bool IsTuple => Kind is '(' or '{';
    public bool IsMaybe => Kind == 'm';

    private VariantType(char kind, string text)
    {
        Kind = kind;
        Text = text;
        Members = [];
        Depth = 1;
        (Alignment, FixedSize) = kind switch
        {
            'b' or 'y' => (1, 1),
            'n' or 'q' => (2, 2),
            'i' or 'u' or 'h' => (4, 4),
            'x' or 't' or 'd' => (8, 8),
            'v' => (8, 0),
            _ => (1, 0),
        };
    }

    private VariantType(char kind, string text, VariantType element)
    {
        Kind = kind;
        Text = text;
        Members = [];
        Element = element;
        Alignment = element.Alignment;
        Depth = element.Depth + 1;
    }

    private VariantType(char kind, string text, VariantType[] members)
    {
        Kind = kind;
        Text = text;
        Members = members;
        Alignment = 1;
        Depth = 1;
        bool allFixed = true;
        long size = 0;
        for (int i = 0; i < members.Length; i++)
        {
            VariantType member = members[i];
            Alignment = Math.Max(Alignment, member.Alignment);
            Depth = Math.Max(Depth, member.Depth + 1);
            if (!member.IsFixed)
            {
                allFixed = false;
                if (i < members.Length - 1)
                    FramingOffsets++;
            }
            size = Align(size, member.Alignment) + member.FixedSize;
        }
        if (allFixed)
            FixedSize = members.Length == 0 ? 1 : checked((int)Align(size, Alignment));
    }

    /// <summary>How many framing offsets belong to the members before this one.</summary>
    public int FramesBefore(int member)
    {
        if (memberFrames is null)
            LayOutMembers();
        return memberFrames![member];
    }

    /// <summary>
    /// Where a member starts, given the end of the last variable-size member before it (or 0). All alignments divide 8,
    /// so how much lies between the two depends only on that end's remainder: members before need not be walked.
    /// </summary>
    public long MemberStart(int member, long from)
    {
        if (memberStarts is null)
            LayOutMembers();
        return from + memberStarts![member * 8 + (int)(from & 7)];
    }

    private void LayOutMembers()
    {
        var starts = new int[Members.Length * 8];
        var frames = new int[Members.Length];
        Span<int> next = stackalloc int[8];
        int seen = 0;
        for (int i = 0; i < Members.Length; i++)
        {
            frames[i] = seen;
            for (int r = 0; r < 8; r++)
            {
                int start = checked((int)Align(r + next[r], Members[i].Alignment)) - r;
                starts[i * 8 + r] = start;
                next[r] = Members[i].IsFixed ? checked(start + Members[i].FixedSize) : 0;
            }
            if (!Members[i].IsFixed)
                seen++;
        }
        memberFrames = frames;
        memberStarts = starts;
    }

    /// <exception cref="VariantException">The text is not exactly one definite type.</exception>
    public static VariantType Parse(ReadOnlySpan<char> text) =>
        TryParse(text) ?? throw new VariantException($"\"{Shorten(text)}\" is not a GVariant type");

    /// <summary>Null if the text is not exactly one definite type.</summary>
    public static VariantType? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length == 0)
            return null;
        if (text.Length <= CachedLength && Cache.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out VariantType? known))
            return known;
        int at = 0;
        VariantType? type = ParseOne(text, ref at, MaxDepth);
        if (type is null || at != text.Length)
            return null;
        Remember(type);
        return type;
    }

    /// <summary>The type at the start of the text, which may go on after it; null if there is none.</summary>
    public static VariantType? TryParsePrefix(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        return ParseOne(text, ref length, MaxDepth);
    }

    public static VariantType ArrayOf(VariantType element) => Wrap('a', element);

    public static VariantType MaybeOf(VariantType element) => Wrap('m', element);

    public static VariantType TupleOf(VariantType[] members) => Group('(', ')', members);

    public static VariantType DictEntryOf(VariantType key, VariantType value) => Group('{', '}', [key, value]);

    public static bool IsBasicKind(char kind) => kind is 'b' or 'y' or 'n' or 'q' or 'i' or 'u' or 'x' or 't' or 'h' or 'd' or 's' or 'o' or 'g';

    public static long Align(long offset, int alignment) => (offset + alignment - 1) & -alignment;

    private static VariantType Wrap(char kind, VariantType element)
    {
        if (element.Depth >= MaxDepth)
            throw new VariantException($"a type nests more than {MaxDepth} containers");
        string text = kind + element.Text;
        return text.Length <= CachedLength && Cache.TryGetValue(text, out VariantType? known) ? known : Remember(new VariantType(kind, text, element));
    }

    private static VariantType Group(char open, char close, VariantType[] members)
    {
        foreach (VariantType member in members)
        {
            if (member.Depth >= MaxDepth)
                throw new VariantException($"a type nests more than {MaxDepth} containers");
        }
        string text = $"{open}{string.Concat(members.Select(m => m.Text))}{close}";
        return text.Length <= CachedLength && Cache.TryGetValue(text, out VariantType? known) ? known : Remember(new VariantType(open, text, members));
    }

    private static VariantType Remember(VariantType type)
    {
        if (type.Text.Length <= CachedLength && Volatile.Read(ref cached) < CachedCount && Cache.TryAdd(type.Text, type))
            Interlocked.Increment(ref cached);
        return type;
    }

    private static VariantType? ParseOne(ReadOnlySpan<char> text, ref int at, int depth)
    {
        if (at >= text.Length)
            return null;
        int start = at;
        char kind = text[at++];
        if (IsBasicKind(kind) || kind == 'v')
            return new VariantType(kind, kind.ToString());
        if (depth == 0)
            return null;
        switch (kind)
        {
            case 'a' or 'm':
                VariantType? element = ParseOne(text, ref at, depth - 1);
                return element is null ? null : new VariantType(kind, text[start..at].ToString(), element);
            case '(':
                var members = new List<VariantType>();
                while (at < text.Length && text[at] != ')')
                {
                    VariantType? member = ParseOne(text, ref at, depth - 1);
                    if (member is null)
                        return null;
                    members.Add(member);
                }
                if (at >= text.Length)
                    return null;
                at++;
                return new VariantType(kind, text[start..at].ToString(), members.ToArray());
            case '{':
                if (at >= text.Length || !IsBasicKind(text[at]))
                    return null;
                VariantType? key = ParseOne(text, ref at, depth - 1);
                VariantType? value = ParseOne(text, ref at, depth - 1);
                if (key is null || value is null || at >= text.Length || text[at] != '}')
                    return null;
                at++;
                return new VariantType(kind, text[start..at].ToString(), [key, value]);
            default:
                return null;
        }
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 60 ? text.ToString() : $"{text[..57]}...";

    public override string ToString() => Text;
}
