using System.Globalization;

namespace OciOstree.Sysroot;

/// <summary>The counters of automatic boot assessment in an entry's file name: <c>NAME+LEFT-DONE.conf</c>.</summary>
internal static class BootTries
{
    public static (ulong Left, ulong Done) Parse(string fileName)
    {
        int plus = fileName.LastIndexOf('+');
        if (plus < 0)
        {
            return (0, 0);
        }
        ReadOnlySpan<char> rest = fileName.AsSpan(plus + 1);
        if (!TakeNumber(ref rest, out ulong left))
        {
            return (0, 0);
        }
        if (rest.Length == 0 || rest[0] != '-')
        {
            return (left, 0);
        }
        rest = rest[1..];
        return TakeNumber(ref rest, out ulong done) ? (left, done) : (0, 0);
    }

    private static bool TakeNumber(ref ReadOnlySpan<char> text, out ulong number)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        ReadOnlySpan<char> digits = end < 0 ? text : text[..end];
        text = text[digits.Length..];
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
