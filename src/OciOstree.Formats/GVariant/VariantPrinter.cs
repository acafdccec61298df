using System.Globalization;
using System.Text;

namespace OciOstree.Formats.GVariant;

/// <summary>GVariant's text format, character for character as GLib's <c>g_variant_print</c> writes it.</summary>
internal sealed class VariantPrinter
{
    private readonly StringBuilder text = new();

    public static string Print(Variant value, bool annotate)
    {
        var printer = new VariantPrinter();
        printer.Write(value, annotate);
        return printer.text.ToString();
    }

    private void Write(Variant value, bool annotate)
    {
        switch (value.TypeInfo.Kind)
        {
            case 'b':
                text.Append(value.AsBoolean() ? "true" : "false");
                break;
            case 'y':
                Annotate("byte", annotate).Append("0x").Append(value.AsByte().ToString("x2", CultureInfo.InvariantCulture));
                break;
            case 'n':
                Annotate("int16", annotate).Append(CultureInfo.InvariantCulture, $"{value.AsInt16()}");
                break;
            case 'q':
                Annotate("uint16", annotate).Append(value.AsUInt16());
                break;
            case 'i':
                text.Append(CultureInfo.InvariantCulture, $"{value.AsInt32()}");
                break;
            case 'u':
                Annotate("uint32", annotate).Append(value.AsUInt32());
                break;
            case 'h':
                Annotate("handle", annotate).Append(CultureInfo.InvariantCulture, $"{value.AsHandle()}");
                break;
            case 'x':
                Annotate("int64", annotate).Append(CultureInfo.InvariantCulture, $"{value.AsInt64()}");
                break;
            case 't':
                Annotate("uint64", annotate).Append(value.AsUInt64());
                break;
            case 'd':
                WriteDouble(value.AsDouble());
                break;
            case 's':
                WriteString(value.AsString());
                break;
            case 'o':
                Annotate("objectpath", annotate).Append('\'').Append(value.AsString()).Append('\'');
                break;
            case 'g':
                Annotate("signature", annotate).Append('\'').Append(value.AsString()).Append('\'');
                break;
            case 'v':
                // The type of what is in a box is known from nowhere else: always annotated.
                text.Append('<');
                Write(value[0], true);
                text.Append('>');
                break;
            case 'm':
                WriteMaybe(value, annotate);
                break;
            case 'a':
                WriteArray(value, annotate);
                break;
            case '(':
                WriteTuple(value, annotate);
                break;
            default:
                text.Append('{');
                Write(value[0], annotate);
                text.Append(", ");
                Write(value[1], annotate);
                text.Append('}');
                break;
        }
    }

    private StringBuilder Annotate(string keyword, bool annotate) => annotate ? text.Append(keyword).Append(' ') : text;

    private void WriteMaybe(Variant value, bool annotate)
    {
        if (annotate)
            text.Append('@').Append(value.Type).Append(' ');
        // "just" is written only where leaving it out would be ambiguous: before a nested nothing.
        int justs = 0;
        Variant? inner = value;
        while (inner is { TypeInfo.IsMaybe: true })
        {
            Variant? next = inner.AsMaybe();
            if (next is null)
            {
                for (int i = 0; i < justs; i++)
                    text.Append("just ");
                text.Append("nothing");
                return;
            }
            justs++;
            inner = next;
        }
        Write(inner, false);
    }

    private void WriteArray(Variant value, bool annotate)
    {
        char element = value.TypeInfo.Element!.Kind;
        if (element == 'y' && value.Data.Length > 0 && value.Data.Span.IndexOf((byte)0) == value.Data.Length - 1)
        {
            WriteByteString(value.Data.Span[..^1]);
            return;
        }
        bool dictionary = element == '{';
        int count = value.Count;
        if (count == 0)
        {
            if (annotate)
                text.Append('@').Append(value.Type).Append(' ');
            text.Append(dictionary ? "{}" : "[]");
            return;
        }
        text.Append(dictionary ? '{' : '[');
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
                text.Append(", ");
            Variant child = value[i];
            if (dictionary)
            {
                Write(child[0], annotate);
                text.Append(": ");
                Write(child[1], annotate);
            }
            else
            {
                Write(child, annotate);
            }
            // All elements have one type: the first one tells it.
            annotate = false;
        }
        text.Append(dictionary ? '}' : ']');
    }

    private void WriteTuple(Variant value, bool annotate)
    {
        text.Append('(');
        int count = value.Count;
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
                text.Append(", ");
            Write(value[i], annotate);
        }
        text.Append(count == 1 ? ",)" : ")");
    }

    private void WriteDouble(double value)
    {
        string digits = FormatDouble(value);
        text.Append(digits);
        if (digits.AsSpan().IndexOfAny(".enN") < 0)
            text.Append(".0");
    }

    /// <summary>C's <c>%.17g</c>.</summary>
    internal static string FormatDouble(double value)
    {
        if (double.IsNaN(value))
            return double.IsNegative(value) ? "-nan" : "nan";
        if (double.IsInfinity(value))
            return value < 0 ? "-inf" : "inf";
        // -d.dddddddddddddddde+ddd: seventeen digits, rounded from the exact value.
        string scientific = value.ToString("e16", CultureInfo.InvariantCulture);
        bool negative = scientific[0] == '-';
        int e = scientific.IndexOf('e');
        int exponent = int.Parse(scientific.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string digits = scientific[(negative ? 1 : 0)..e].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        if (digits.Length == 0)
            digits = "0";
        string body;
        if (exponent is < -4 or >= 17)
            body = $"{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        else if (exponent < 0)
            body = $"0.{new string('0', -exponent - 1)}{digits}";
        else if (digits.Length <= exponent + 1)
            body = digits.PadRight(exponent + 1, '0');
        else
            body = $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
        return negative ? "-" + body : body;
    }

    private void WriteByteString(ReadOnlySpan<byte> bytes)
    {
        char quote = bytes.IndexOf((byte)'\'') >= 0 ? '"' : '\'';
        text.Append('b').Append(quote);
        foreach (byte b in bytes)
        {
            switch (b)
            {
                case (byte)'\b': text.Append("\\b"); break;
                case (byte)'\f': text.Append("\\f"); break;
                case (byte)'\n': text.Append("\\n"); break;
                case (byte)'\r': text.Append("\\r"); break;
                case (byte)'\t': text.Append("\\t"); break;
                case (byte)'\v': text.Append("\\v"); break;
                case (byte)'\\': text.Append("\\\\"); break;
                case (byte)'"': text.Append("\\\""); break;
                case < 0x20 or >= 0x7f:
                    text.Append('\\').Append((char)('0' + (b >> 6))).Append((char)('0' + ((b >> 3) & 7))).Append((char)('0' + (b & 7)));
                    break;
                default: text.Append((char)b); break;
            }
        }
        text.Append(quote);
    }

    private void WriteString(string value)
    {
        char quote = value.Contains('\'') ? '"' : '\'';
        text.Append(quote);
        foreach (Rune rune in value.EnumerateRunes())
        {
            int c = rune.Value;
            if (c == quote || c == '\\')
                text.Append('\\');
            if (IsPrintable(rune))
            {
                text.Append(rune.ToString());
                continue;
            }
            text.Append('\\');
            switch (c)
            {
                case '\a': text.Append('a'); break;
                case '\b': text.Append('b'); break;
                case '\f': text.Append('f'); break;
                case '\n': text.Append('n'); break;
                case '\r': text.Append('r'); break;
                case '\t': text.Append('t'); break;
                case '\v': text.Append('v'); break;
                case < 0x10000: text.Append(CultureInfo.InvariantCulture, $"u{c:x4}"); break;
                default: text.Append(CultureInfo.InvariantCulture, $"U{c:x8}"); break;
            }
        }
        text.Append(quote);
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate);
}
