namespace OciOstree.Sysroot;

/// <summary>Compares as glibc's <c>strverscmp(3)</c>, which orders boot entries: runs of digits by value, those with leading zeros as fractions.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x;
        ReadOnlySpan<char> b = y;
        int at = 0;
        while (at < a.Length && at < b.Length && a[at] == b[at])
        {
            at++;
        }
        if (at == a.Length && at == b.Length)
        {
            return 0;
        }

        // The run of digits that the first difference stands in begins before it.
        int start = at;
        while (start > 0 && char.IsAsciiDigit(a[start - 1]))
        {
            start--;
        }
        bool aDigit = at < a.Length && char.IsAsciiDigit(a[at]);
        bool bDigit = at < b.Length && char.IsAsciiDigit(b[at]);
        if (start == at && !(aDigit && bDigit))
        {
            return CharAt(a, at) - CharAt(b, at);
        }

        // A run that begins with zero, before or at the difference, is a fraction: its digits compare as text, and more zeros come first.
        bool fractionA = CharAt(a, start) == '0';
        bool fractionB = CharAt(b, start) == '0';
        if (fractionA || fractionB)
        {
            return CompareFractions(a, b, start, at);
        }

        int lengthA = DigitsFrom(a, at);
        int lengthB = DigitsFrom(b, at);
        return lengthA != lengthB ? lengthA - lengthB : CharAt(a, at) - CharAt(b, at);
    }

    private static int CompareFractions(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int start, int at)
    {
        bool onlyZerosBefore = a[start..at].TrimStart('0').IsEmpty;
        bool aDigit = at < a.Length && char.IsAsciiDigit(a[at]);
        bool bDigit = at < b.Length && char.IsAsciiDigit(b[at]);
        if (onlyZerosBefore && at > start && aDigit != bDigit)
        {
            // "00" before "0", "01" before "0": the longer run of a fraction is the smaller.
            return aDigit ? -1 : 1;
        }
        return CharAt(a, at) - CharAt(b, at);
    }

    private static int CharAt(ReadOnlySpan<char> text, int at) => at < text.Length ? text[at] : 0;

    private static int DigitsFrom(ReadOnlySpan<char> text, int at)
    {
        int end = at;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }
        return end - at;
    }
}
