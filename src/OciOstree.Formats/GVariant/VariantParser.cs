namespace OciOstree.Formats.GVariant;

/// <summary>
/// Reads GVariant's text format, with the grammar, the type inference and the complaints (position first) of GLib's
/// <c>g_variant_parse</c>.
/// </summary>
internal sealed class VariantParser
{
    private readonly string text;
    // The current token; empty at the end of the text.
    private int start;
    private int end;

    private VariantParser(string text)
    {
        this.text = text;
        Prepare();
    }

    public static Variant Parse(string text, string? type)
    {
        VariantType? wanted = type is null ? null : VariantType.Parse(type);
        var parser = new VariantParser(text);
        VariantNode node = parser.ParseValue(VariantType.MaxDepth);
        if (parser.start < parser.text.Length)
            throw parser.Expected("end of input");
        return wanted is null ? node.Resolve() : node.ToValue(wanted);
    }

    private ReadOnlySpan<char> Token => text.AsSpan(start, end - start);

    private VariantException Complain(string message) => VariantNode.Complaint(start, end, message);

    private VariantException Expected(string what) => VariantNode.Complaint(start, start, $"expected {what}");

    private void Next()
    {
        start = end;
        Prepare();
    }

    private bool Consume(char symbol)
    {
        if (start >= text.Length || text[start] != symbol)
            return false;
        Next();
        return true;
    }

    private void Require(char symbol, string where)
    {
        if (!Consume(symbol))
            throw Expected($"'{symbol}'{where}");
    }

    private void Prepare()
    {
        while (start < text.Length && text[start] is ' ' or '\t' or '\n' or '\v' or '\f' or '\r')
            start++;
        end = start;
        if (start >= text.Length)
            return;
        char first = text[start];
        end++;
        if (first is '-' or '+' or '.' || char.IsAsciiDigit(first))
        {
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '-' or '+' or '.'))
                end++;
        }
        else if (first == 'b' && end < text.Length && text[end] is '\'' or '"')
        {
            SkipQuoted(end);
        }
        else if (char.IsAsciiLetter(first))
        {
            while (end < text.Length && char.IsAsciiLetterOrDigit(text[end]))
                end++;
        }
        else if (first is '\'' or '"')
        {
            SkipQuoted(start);
        }
        else if (first is '@' or '%')
        {
            int open = 0;
            for (; end < text.Length; end++)
            {
                char c = text[end];
                if (c is ',' or ':' or '>' or ']' or ' ' or '\t' or '\n' or '\v' or '\f' or '\r')
                    break;
                if (c is '(' or '{')
                    open++;
                else if (c is ')' or '}' && open-- == 0)
                    break;
            }
        }
    }

    private void SkipQuoted(int quoteAt)
    {
        char quote = text[quoteAt];
        for (end = quoteAt + 1; end < text.Length && text[end] != quote; end++)
        {
            if (text[end] == '\\')
                end++;
        }
        end = Math.Min(end + 1, text.Length);
    }

    private VariantNode ParseValue(int depth)
    {
        if (depth == 0)
            throw Complain("variant nested too deeply");
        if (start >= text.Length)
            throw Expected("value");
        int from = start;
        char first = text[start];
        switch (first)
        {
            case '[':
                return ParseArray(depth);
            case '(':
                return ParseTuple(depth);
            case '<':
                Next();
                VariantNode boxed = ParseValue(depth - 1);
                Require('>', " to follow variant value");
                return new BoxNode(from, start, boxed);
            case '{':
                return ParseDictionary(depth);
            case '\'' or '"':
                return TakeText(new TextNode(start, end, VariantTextLiteral.Unescape(Token, start)));
            case '@':
                VariantType annotated = VariantType.TryParse(Token[1..])
                    ?? throw Complain("invalid type declaration");
                return ParseTyped(annotated, depth);
            case '-' or '+' or '.':
                return TakeText(new NumberNode(start, end, Token.ToString()));
            case 'b' when end - start > 1 && text[start + 1] is '\'' or '"':
                return TakeText(new ByteStringNode(start, end, VariantTextLiteral.UnescapeBytes(Token, start)));
        }
        if (char.IsAsciiDigit(first))
            return TakeText(new NumberNode(start, end, Token.ToString()));
        if (!char.IsAsciiLetter(first))
            throw Expected("value");
        switch (Token)
        {
            case "true":
                return TakeText(new BooleanNode(start, end, true));
            case "false":
                return TakeText(new BooleanNode(start, end, false));
            case "inf" or "nan":
                return TakeText(new NumberNode(start, end, Token.ToString()));
            case "nothing":
                return TakeText(new MaybeNode(start, end, null));
            case "just":
                Next();
                VariantNode child = ParseValue(depth - 1);
                return new MaybeNode(from, child.End, child);
        }
        string letter = Token switch
        {
            "boolean" => "b",
            "byte" => "y",
            "int16" => "n",
            "uint16" => "q",
            "int32" => "i",
            "handle" => "h",
            "uint32" => "u",
            "int64" => "x",
            "uint64" => "t",
            "double" => "d",
            "string" => "s",
            "objectpath" => "o",
            "signature" => "g",
            _ => throw Complain("unknown keyword"),
        };
        return ParseTyped(VariantType.Parse(letter), depth);
    }

    private VariantNode TakeText(VariantNode node)
    {
        Next();
        return node;
    }

    private TypedNode ParseTyped(VariantType type, int depth)
    {
        int from = start;
        Next();
        VariantNode child = ParseValue(depth - 1);
        return new TypedNode(from, child.End, type, child);
    }

    private ArrayNode ParseArray(int depth)
    {
        int from = start;
        Next();
        var elements = new List<VariantNode>();
        while (!Peek(']'))
        {
            if (elements.Count > 0)
                Require(',', " or ']' to follow array element");
            elements.Add(ParseValue(depth - 1));
        }
        int to = end;
        Next();
        return new ArrayNode(from, to, elements);
    }

    private TupleNode ParseTuple(int depth)
    {
        int from = start;
        Next();
        var members = new List<VariantNode>();
        while (!Peek(')'))
        {
            if (members.Count > 1)
                Require(',', " or ')' to follow tuple element");
            members.Add(ParseValue(depth - 1));
            // One comma is what tells a tuple of one member from parentheses.
            if (members.Count == 1)
                Require(',', " after first tuple element");
        }
        int to = end;
        Next();
        return new TupleNode(from, to, members);
    }

    private VariantNode ParseDictionary(int depth)
    {
        int from = start;
        int to;
        Next();
        var keys = new List<VariantNode>();
        var values = new List<VariantNode>();
        if (!Peek('}'))
        {
            keys.Add(ParseValue(depth - 1));
            if (Consume(','))
            {
                values.Add(ParseValue(depth - 1));
                to = end;
                Require('}', " at end of dictionary entry");
                return new DictionaryNode(from, to, keys, values, isEntry: true);
            }
            Require(':', " or ',' to follow dictionary entry key");
            values.Add(ParseValue(depth - 1));
            while (!Peek('}'))
            {
                Require(',', " or '}' to follow dictionary entry");
                keys.Add(ParseValue(depth - 1));
                Require(':', " to follow dictionary entry key");
                values.Add(ParseValue(depth - 1));
            }
        }
        to = end;
        Next();
        return new DictionaryNode(from, to, keys, values, isEntry: false);
    }

    private bool Peek(char symbol) => start < text.Length && text[start] == symbol;
}
