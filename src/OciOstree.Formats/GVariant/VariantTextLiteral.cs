using System.Globalization;
using System.Text;

namespace OciOstree.Formats.GVariant;

/// <summary>The quoted strings of GVariant's text format.</summary>
internal static class VariantTextLiteral
{
    /// <param name="token">Quotes included.</param>
    /// <param name="at">Where the token starts in the text, for complaints.</param>
    public static string Unescape(ReadOnlySpan<char> token, int at)
    {
        CheckTerminated(token, at, at + token.Length);
        char quote = token[0];
        var text = new StringBuilder(token.Length);
        int i = 1;
        while (token[i] != quote)
        {
            if (token[i] != '\\')
            {
                text.Append(token[i++]);
                continue;
            }
            if (++i >= token.Length)
                throw VariantNode.Complaint(at, at + token.Length, "unterminated string constant");
            char c = token[i++];
            switch (c)
            {
                case 'u':
                    AppendCode(text, token, ref i, 4, at);
                    break;
                case 'U':
                    AppendCode(text, token, ref i, 8, at);
                    break;
                case '\n':
                    break;
                default:
                    text.Append(Simple(c) ?? c);
                    break;
            }
        }
        return text.ToString();
    }

    /// <inheritdoc cref="Unescape"/>
    /// <summary>Of a <c>b'…'</c>: its bytes, without the zero byte that ends it.</summary>
    public static byte[] UnescapeBytes(ReadOnlySpan<char> token, int at)
    {
        ReadOnlySpan<char> quoted = token[1..];
        CheckTerminated(quoted, at, at + token.Length);
        using var bytes = new MemoryStream();
        int i = 1;
        while (quoted[i] != quoted[0])
        {
            if (quoted[i] != '\\')
            {
                int from = i;
                while (quoted[i] != quoted[0] && quoted[i] != '\\')
                    i++;
                bytes.Write(Encoding.UTF8.GetBytes(quoted[from..i].ToString()));
                continue;
            }
            char c = quoted[++i];
            if (c is >= '0' and <= '7')
            {
                int value = 0;
                for (int digits = 0; digits < 3 && quoted[i] is >= '0' and <= '7'; digits++)
                    value = value * 8 + (quoted[i++] - '0');
                bytes.WriteByte((byte)value);
                continue;
            }
            i++;
            if (c == '\n')
                continue;
            if (Simple(c) is { } escaped)
                bytes.WriteByte((byte)escaped);
            else
                bytes.Write(Encoding.UTF8.GetBytes([c]));
        }
        return bytes.ToArray();
    }

    private static char? Simple(char c) => c switch
    {
        'a' => '\a',
        'b' => '\b',
        'f' => '\f',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        _ => null,
    };

    private static void CheckTerminated(ReadOnlySpan<char> token, int at, int end)
    {
        // The end of the text ends a token too: then its last quote is missing, or escaped.
        for (int i = 1; i < token.Length; i++)
        {
            if (token[i] == '\\')
                i++;
            else if (token[i] == token[0])
                return;
        }
        throw VariantNode.Complaint(at, end, "unterminated string constant");
    }

    private static void AppendCode(StringBuilder text, ReadOnlySpan<char> token, ref int i, int length, int at)
    {
        int digits = 0;
        while (digits < length && i + digits < token.Length && char.IsAsciiHexDigit(token[i + digits]))
            digits++;
        if (digits < length)
            throw VariantNode.Complaint(at + i, at + i + digits, $"invalid {length}-character unicode escape");
        uint code = uint.Parse(token.Slice(i, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (code == 0 || !Rune.IsValid(code))
            throw VariantNode.Complaint(at + i, at + i + length, $"invalid {length}-character unicode escape");
        text.Append(new Rune(code).ToString());
        i += length;
    }
}
