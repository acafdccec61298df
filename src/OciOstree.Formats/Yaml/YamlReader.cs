using System.Globalization;
using System.Text;

namespace OciOstree.Formats.Yaml;

/// <summary>Reads block mappings line by line (YAML 1.2, chapter 8), and flow mappings within one line.</summary>
internal sealed class YamlReader
{
    private const int DepthLimit = 32;

    private readonly List<Line> lines = [];
    private int next;

    internal YamlReader(string text)
    {
        var number = 0;
        var (isOpen, isOver) = (false, false);
        foreach (var raw in text.TrimStart('\uFEFF').Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r');
            if (line.AsSpan().ContainsAnyInRange('\0', '\x8') || line.AsSpan().ContainsAnyInRange('\xb', '\x1f') || line.Contains('\x7f'))
            {
                throw new YamlException(number, "a control character");
            }

            var indent = line.Length - line.TrimStart(' ').Length;
            var content = line[indent..];
            if (content.TrimStart('\t').Length is 0 || content.TrimStart('\t')[0] == '#')
            {
                continue;
            }

            if (content[0] == '\t')
            {
                throw new YamlException(number, "a tab where only spaces indent");
            }

            if (indent == 0 && content.TrimEnd() is "---" && !isOpen && lines.Count == 0)
            {
                isOpen = true;
                continue;
            }

            if (isOver || (indent == 0 && content.TrimEnd() is "---"))
            {
                throw new YamlException(number, "a second document");
            }

            if (indent == 0 && content.TrimEnd() is "...")
            {
                isOver = true;
                continue;
            }

            lines.Add(new Line(number, indent, content));
        }
    }

    private readonly record struct Line(int Number, int Indent, string Content);

    internal YamlMapping ReadDocument()
    {
        if (lines.Count == 0)
        {
            return new YamlMapping(1);
        }

        var root = ReadBlock(lines[0].Indent, 0);
        return next == lines.Count ? root : throw new YamlException(lines[next].Number, "it is indented less than what it follows");
    }

    private YamlMapping ReadBlock(int indent, int depth)
    {
        if (depth == DepthLimit)
        {
            throw new YamlException(lines[next].Number, "nested too deeply");
        }

        var mapping = new YamlMapping(lines[next].Number);
        while (next < lines.Count && lines[next].Indent >= indent)
        {
            var line = lines[next++];
            if (line.Indent > indent)
            {
                throw new YamlException(line.Number, "it is indented more than what it follows");
            }

            var cursor = new Cursor(line.Content, line.Number);
            var key = cursor.ReadKey(inFlow: false);
            object value = cursor.AtEnd() && next < lines.Count && lines[next].Indent > indent
                ? ReadBlock(lines[next].Indent, depth + 1)
                : cursor.ReadValue(inFlow: false, depth);
            cursor.RequireEnd();
            if (!mapping.TryAdd(key, value))
            {
                throw new YamlException(line.Number, $"'{key}' is there twice");
            }
        }

        return mapping;
    }

    /// <summary>One line, and how far it is read.</summary>
    private sealed class Cursor(string text, int line)
    {
        private int position;

        /// <summary>Whether nothing but space and a comment is left.</summary>
        internal bool AtEnd()
        {
            var start = position;
            SkipSpace();
            if (position < text.Length && text[position] == '#' && (start < position || position == 0))
            {
                position = text.Length;
            }

            return position == text.Length;
        }

        internal void RequireEnd()
        {
            if (!AtEnd())
            {
                throw Wrong("something follows that does not belong there");
            }
        }

        internal string ReadKey(bool inFlow)
        {
            var key = ReadScalar(inFlow, isKey: true);
            SkipSpace();
            if (position == text.Length || text[position] != ':' || (position + 1 < text.Length && text[position + 1] is not (' ' or '\t') && !(inFlow && text[position + 1] is ',' or '}')))
            {
                throw Wrong("no 'key: value'");
            }

            position++;
            return key.Text;
        }

        internal object ReadValue(bool inFlow, int depth)
        {
            SkipSpace();
            return position < text.Length && text[position] == '{' ? ReadFlow(depth + 1) : ReadScalar(inFlow, isKey: false);
        }

        private YamlMapping ReadFlow(int depth)
        {
            if (depth >= DepthLimit)
            {
                throw Wrong("nested too deeply");
            }

            position++;
            var mapping = new YamlMapping(line);
            for (SkipSpace(); Peek() != '}'; SkipSpace())
            {
                var key = ReadKey(inFlow: true);
                if (!mapping.TryAdd(key, ReadValue(inFlow: true, depth)))
                {
                    throw Wrong($"'{key}' is there twice");
                }

                SkipSpace();
                if (Peek() == ',')
                {
                    position++;
                }
                else if (Peek() != '}')
                {
                    throw Wrong("neither , nor }");
                }
            }

            position++;
            return mapping;
        }

        private char Peek() => position < text.Length ? text[position] : throw Wrong("it goes on in another line, which is not read");

        private YamlScalar ReadScalar(bool inFlow, bool isKey)
        {
            SkipSpace();
            return position < text.Length && text[position] is '"' ? new YamlScalar(ReadDoubleQuoted(), false, line)
                : position < text.Length && text[position] is '\'' ? new YamlScalar(ReadSingleQuoted(), false, line)
                : ReadPlain(inFlow, isKey);
        }

        // 7.3.3: a plain scalar ends before ": " and " #", in a flow mapping before its signs, too.
        private YamlScalar ReadPlain(bool inFlow, bool isKey)
        {
            var start = position;
            if (position < text.Length && (text[position] is ',' or '[' or ']' or '{' or '}' or '&' or '*' or '!' or '|' or '>' or '%' or '@' or '`' && !(inFlow && !isKey && text[position] is ',' or '}')
                || (text[position] is '-' or '?' or ':' && (position + 1 == text.Length || text[position + 1] is ' ' or '\t'))))
            {
                throw Wrong($"'{text[position]}' begins what is not read here");
            }

            while (position < text.Length)
            {
                var c = text[position];
                var isSpaceNext = position + 1 == text.Length || text[position + 1] is ' ' or '\t';
                if ((c == ':' && (isSpaceNext || (inFlow && text[position + 1] is ',' or '}')))
                    || (c == '#' && position > 0 && text[position - 1] is ' ' or '\t')
                    || (inFlow && c is ',' or '[' or ']' or '{' or '}'))
                {
                    break;
                }

                position++;
            }

            var value = text[start..position].TrimEnd(' ', '\t');
            position = start + value.Length;
            return isKey && value.Length == 0 ? throw Wrong("no key") : new YamlScalar(value, true, line);
        }

        private string ReadSingleQuoted()
        {
            var value = new StringBuilder();
            for (position++; ; position++)
            {
                if (Peek() == '\'')
                {
                    if (position + 1 == text.Length || text[position + 1] != '\'')
                    {
                        position++;
                        return value.ToString();
                    }

                    position++;
                }

                value.Append(text[position]);
            }
        }

        private string ReadDoubleQuoted()
        {
            var value = new StringBuilder();
            for (position++; Peek() != '"'; position++)
            {
                if (text[position] != '\\')
                {
                    value.Append(text[position]);
                    continue;
                }

                position++;
                value.Append(Peek() switch
                {
                    '"' or '\\' or '/' or ' ' => text[position],
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    '0' => '\0',
                    'x' => ReadHex(2),
                    'u' => ReadHex(4),
                    _ => throw Wrong($"\\{text[position]} is not read here"),
                });
            }

            position++;
            return value.ToString();
        }

        private char ReadHex(int digits)
        {
            if (text.Length - position - 1 < digits || !ushort.TryParse(text.AsSpan(position + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                throw Wrong("an escape that is cut off");
            }

            position += digits;
            return (char)code;
        }

        private void SkipSpace()
        {
            while (position < text.Length && text[position] is ' ' or '\t')
            {
                position++;
            }
        }

        private YamlException Wrong(string message) => new(line, message);
    }
}
