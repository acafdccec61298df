using System.Globalization;
using System.Text;

namespace OciOstree.Container;

/// <summary>
/// Arbitrary names as ostree refs, as ostree-ext writes them: ASCII letters, digits and <c>-</c> stand for themselves, a <c>/</c>
/// does after a letter or digit unless it is the last character, <c>_</c> is doubled, and everything else is the code point
/// in hexadecimal between underscores.
/// </summary>
public static class RefEscape
{
    /// <exception cref="ContainerException">The text is empty, holds a NUL, or is not well-formed Unicode.</exception>
    public static string Escape(string text)
    {
        if (text.Length == 0)
        {
            throw new ContainerException("an empty name cannot be a ref");
        }

        var result = new StringBuilder(text.Length + 16);
        var afterAlphanumeric = false;
        for (var at = 0; at < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, at, out var rune) || rune.Value == 0)
            {
                throw new ContainerException("a name with a NUL or invalid Unicode cannot be a ref");
            }

            at += rune.Utf16SequenceLength;
            var isAlphanumeric = rune.IsAscii && char.IsAsciiLetterOrDigit((char)rune.Value);
            if (isAlphanumeric || rune.Value == '-' || (rune.Value == '/' && afterAlphanumeric && at < text.Length))
            {
                result.Append((char)rune.Value);
            }
            else if (rune.Value == '_')
            {
                result.Append("__");
            }
            else
            {
                result.Append('_').Append(rune.Value.ToString("X2", CultureInfo.InvariantCulture)).Append('_');
            }

            afterAlphanumeric = isAlphanumeric;
        }

        return result.ToString();
    }

    /// <summary>The escaped text under a prefix: <c>PREFIX/ESCAPED</c>.</summary>
    public static string EscapePath(string prefix, string text) => $"{prefix}/{Escape(text)}";

    /// <exception cref="ContainerException">It is not the result of an escape.</exception>
    public static string Unescape(string escaped)
    {
        var result = new StringBuilder(escaped.Length);
        for (var at = 0; at < escaped.Length;)
        {
            var c = escaped[at++];
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '/')
            {
                result.Append(c);
                continue;
            }

            var end = c == '_' ? escaped.IndexOf('_', at) : -1;
            if (end < 0)
            {
                throw Invalid(escaped);
            }

            if (end == at)
            {
                result.Append('_');
            }
            else if (int.TryParse(escaped.AsSpan(at, end - at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && Rune.IsValid(value))
            {
                result.Append(new Rune(value).ToString());
            }
            else
            {
                throw Invalid(escaped);
            }

            at = end + 1;
        }

        return result.ToString();
    }

    private static ContainerException Invalid(string escaped) => new($"'{escaped}' is not an escaped ref name");
}
