using System.Globalization;
using System.Text;

namespace OciOstree.Formats.Toml;

/// <summary>Reads TOML 1.0: what configuration files for containers are written in. Dates occur in none of them and are not read.</summary>
internal sealed class TomlReader(string text)
{
    private const int DepthLimit = 64;
    private int position;
    private int line = 1;
    private int depth;

    internal TomlTable ReadDocument()
    {
        var root = new TomlTable();
        var current = root;
        while (true)
        {
            SkipBlank(newLines: true);
            if (position == text.Length)
            {
                return root;
            }

            if (Peek() == '[')
            {
                current = ReadHeader(root);
            }
            else
            {
                ReadMember(current);
            }

            SkipBlank(newLines: false);
            if (position < text.Length && Peek() is not ('\n' or '\r'))
            {
                throw Wrong("something follows that does not belong there");
            }
        }
    }

    private TomlTable ReadHeader(TomlTable root)
    {
        position++;
        var isArray = TryTake('[');
        var keys = ReadKeys();
        Take(']');
        if (isArray)
        {
            Take(']');
        }

        var table = Descend(root, keys.AsSpan(0, keys.Length - 1));
        var last = keys[^1];
        if (isArray)
        {
            var entry = new TomlTable { IsClosed = true };
            if (table.TryAdd(last, new List<object> { entry }))
            {
                return entry;
            }

            if (table.Values[last] is List<object> entries && entries.TrueForAll(e => e is TomlTable))
            {
                entries.Add(entry);
                return entry;
            }
        }
        else if (Descend(table, [last]) is { IsClosed: false } header)
        {
            header.IsClosed = true;
            return header;
        }

        throw Wrong($"'{last}' is there already");
    }

    private TomlTable Descend(TomlTable table, ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            var fresh = new TomlTable();
            table = table.TryAdd(key, fresh) ? fresh : table.Values[key] switch
            {
                TomlTable inner => inner,
                List<object> list when list.Count > 0 && list[^1] is TomlTable inner => inner,
                _ => throw Wrong($"'{key}' is no table"),
            };
        }

        return table;
    }

    private void ReadMember(TomlTable table)
    {
        var keys = ReadKeys();
        Take('=');
        SkipBlank(newLines: false);
        var value = ReadValue();
        if (!Descend(table, keys.AsSpan(0, keys.Length - 1)).TryAdd(keys[^1], value))
        {
            throw Wrong($"'{keys[^1]}' is there already");
        }
    }

    private string[] ReadKeys()
    {
        var keys = new List<string>();
        do
        {
            SkipBlank(newLines: false);
            keys.Add(Peek() is '"' or '\'' ? ReadString() : ReadBareKey());
            SkipBlank(newLines: false);
            if (keys.Count > DepthLimit)
            {
                throw Wrong("a name has too many parts");
            }
        }
        while (TryTake('.'));
        return [.. keys];
    }

    private string ReadBareKey()
    {
        var start = position;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '_' or '-'))
        {
            position++;
        }

        return position > start ? text[start..position] : throw Wrong("a name is missing");
    }

    private object ReadValue()
    {
        if (++depth > DepthLimit)
        {
            throw Wrong("values are nested too deeply");
        }

        object value = Peek() switch
        {
            '"' or '\'' => ReadString(),
            '[' => ReadArray(),
            '{' => ReadInlineTable(),
            _ => ReadPlain(),
        };
        depth--;
        return value;
    }

    private List<object> ReadArray()
    {
        Take('[');
        var values = new List<object>();
        while (true)
        {
            SkipBlank(newLines: true);
            if (TryTake(']'))
            {
                return values;
            }

            values.Add(ReadValue());
            SkipBlank(newLines: true);
            if (!TryTake(','))
            {
                Take(']');
                return values;
            }
        }
    }

    private TomlTable ReadInlineTable()
    {
        Take('{');
        var table = new TomlTable();
        SkipBlank(newLines: false);
        if (!TryTake('}'))
        {
            do
            {
                ReadMember(table);
                SkipBlank(newLines: false);
            }
            while (TryTake(','));
            Take('}');
        }

        table.IsClosed = true;
        return table;
    }

    private object ReadPlain()
    {
        var start = position;
        while (position < text.Length && Peek() is not (',' or ']' or '}' or '#' or ' ' or '\t' or '\n' or '\r'))
        {
            position++;
        }

        var word = text[start..position];
        switch (word)
        {
            case "true":
                return true;
            case "false":
                return false;
            case "":
                throw Wrong("a value is missing");
        }

        var digits = word.Replace("_", "", StringComparison.Ordinal);
        foreach (var (prefix, style) in new[] { ("0x", NumberStyles.AllowHexSpecifier), ("0b", NumberStyles.AllowBinarySpecifier) })
        {
            if (digits.StartsWith(prefix, StringComparison.Ordinal) && long.TryParse(digits.AsSpan(2), style, CultureInfo.InvariantCulture, out var based))
            {
                return based;
            }
        }

        if (digits.StartsWith("0o", StringComparison.Ordinal) && digits.Length is > 2 and <= 22 && !digits.AsSpan(2).ContainsAnyExceptInRange('0', '7'))
        {
            return digits.AsSpan(2).ToArray().Aggregate(0L, (value, digit) => (value << 3) | (uint)(digit - '0'));
        }

        if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
        {
            return integer;
        }

        var number = digits.TrimStart('+', '-') is "inf" or "nan"
            ? digits.EndsWith("nan", StringComparison.Ordinal) ? double.NaN : digits[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity
            : double.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var parsed)
                ? parsed
                : throw Wrong($"'{(word.Length > 40 ? word[..40] : word)}' is no value");
        return number;
    }

    private string ReadString()
    {
        var quote = Peek();
        position++;
        var isMultiLine = false;
        if (Matches(quote, quote))
        {
            position += 2;
            isMultiLine = true;

            // A newline right after the opening quotes is not part of the string.
            TryTake('\r');
            TryTake('\n');
        }
        else if (TryTake(quote))
        {
            return "";
        }

        var result = new StringBuilder();
        while (true)
        {
            if (position == text.Length)
            {
                throw Wrong("a string does not end");
            }

            var c = Peek();
            if (c == quote && (!isMultiLine || EndsMultiLine(quote, result)))
            {
                position += isMultiLine ? 3 : 1;
                return result.ToString();
            }

            if (c == '\n' && !isMultiLine)
            {
                throw Wrong("a string does not end on its line");
            }

            line += c == '\n' ? 1 : 0;
            position++;
            if (c == '\\' && quote == '"')
            {
                ReadEscape(result, isMultiLine);
            }
            else
            {
                result.Append(c);
            }
        }
    }

    /// <summary>Up to two quotes may stand right before the closing three.</summary>
    private bool EndsMultiLine(char quote, StringBuilder result)
    {
        if (!(position + 2 < text.Length && text[position + 1] == quote && text[position + 2] == quote))
        {
            return false;
        }

        for (var extra = 0; extra < 2 && position + 3 < text.Length && text[position + 3] == quote; extra++)
        {
            result.Append(quote);
            position++;
        }

        return true;
    }

    private void ReadEscape(StringBuilder result, bool isMultiLine)
    {
        if (position == text.Length)
        {
            throw Wrong("a string does not end");
        }

        var c = text[position++];
        switch (c)
        {
            case 'b' or 't' or 'n' or 'f' or 'r':
                result.Append("\b\t\n\f\r"["btnfr".IndexOf(c)]);
                break;
            case '"' or '\\':
                result.Append(c);
                break;
            case 'u' or 'U':
                var length = c == 'u' ? 4 : 8;
                if (position + length > text.Length
                    || !int.TryParse(text.AsSpan(position, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                    || !Rune.IsValid(code))
                {
                    throw Wrong("an escape is no character");
                }

                position += length;
                result.Append(new Rune(code).ToString());
                break;
            case ' ' or '\t' or '\n' or '\r' when isMultiLine:
                line += c == '\n' ? 1 : 0;
                SkipSpaceInString();
                break;
            default:
                throw Wrong("an escape is unknown");
        }
    }

    private void SkipSpaceInString()
    {
        while (Peek() is ' ' or '\t' or '\n' or '\r')
        {
            line += Peek() == '\n' ? 1 : 0;
            position++;
        }
    }

    private void SkipBlank(bool newLines)
    {
        while (position < text.Length)
        {
            switch (Peek())
            {
                case ' ' or '\t' or '\r':
                    position++;
                    break;
                case '\n' when newLines:
                    line++;
                    position++;
                    break;
                case '#':
                    while (position < text.Length && Peek() != '\n')
                    {
                        position++;
                    }

                    break;
                default:
                    return;
            }
        }
    }

    private char Peek() => position < text.Length ? text[position] : '\0';

    private bool Matches(char first, char second) => position + 1 < text.Length && text[position] == first && text[position + 1] == second;

    private bool TryTake(char c)
    {
        if (Peek() != c || position == text.Length)
        {
            return false;
        }

        line += c == '\n' ? 1 : 0;
        position++;
        return true;
    }

    private void Take(char c)
    {
        SkipBlank(newLines: false);
        if (!TryTake(c))
        {
            throw Wrong($"'{c}' is missing");
        }
    }

    private TomlException Wrong(string message) => new(line, message);
}
