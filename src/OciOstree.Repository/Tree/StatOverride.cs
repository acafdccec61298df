using System.Globalization;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A change to a path's mode: bits to add, or, if it <paramref name="Replaces"/>, the whole of its permissions.</summary>
public readonly record struct StatOverride(uint Mode, bool Replaces)
{
    /// <summary>
    /// Parses the lines of a file as <c>ostree commit --statoverride</c> takes it: <c>[=]MODE PATH</c>, the mode a decimal number
    /// (or hexadecimal with <c>0x</c>), with <c>=</c> before it to replace rather than add.
    /// </summary>
    /// <exception cref="RepositoryException">A line has no space.</exception>
    public static IReadOnlyDictionary<string, StatOverride> ParseFile(string text)
    {
        var overrides = new Dictionary<string, StatOverride>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int space = line.IndexOf(' ');
            if (space < 0)
                throw new RepositoryException("Malformed statoverride file (no space found)");
            bool replaces = line[0] == '=';
            overrides[line[(space + 1)..]] = new StatOverride(ParseNumber(line[(replaces ? 1 : 0)..space]), replaces);
        }
        return overrides;
    }

    internal uint Apply(uint mode) => Replaces ? (mode & ModeBits.TypeMask) | Mode : mode | Mode;

    // As C's strtod reads it: what is no number counts as 0.
    private static uint ParseNumber(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return uint.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint hexadecimal) ? hexadecimal : 0;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < int.MaxValue ? (uint)(int)number : 0;
    }
}
