using System.Text;

namespace OciOstree.Formats.GVariant;

/// <summary>The three text types: strings, object paths and signatures, each UTF-8 with one zero byte, at the end.</summary>
internal static class VariantText
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    /// <summary>Null if the bytes are not a text of that type.</summary>
    public static string? TryDecode(char kind, ReadOnlySpan<byte> data)
    {
        if (!IsValid(kind, data))
            return null;
        return StrictUtf8.GetString(data[..^1]);
    }

    public static bool IsValid(char kind, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data[^1] != 0)
            return false;
        ReadOnlySpan<byte> text = data[..^1];
        return kind switch
        {
            's' => text.IndexOf((byte)0) < 0 && System.Text.Unicode.Utf8.IsValid(text),
            'o' => IsObjectPath(text),
            _ => IsSignature(text),
        };
    }

    /// <exception cref="VariantException">The text is not one of that type.</exception>
    public static byte[] Encode(char kind, string text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) + 1];
        int length;
        try
        {
            length = StrictUtf8.GetBytes(text, bytes);
        }
        catch (EncoderFallbackException)
        {
            throw new VariantException("a GVariant string has to be valid Unicode");
        }
        System.Array.Resize(ref bytes, length + 1);
        if (!IsValid(kind, bytes))
        {
            throw new VariantException(kind switch
            {
                's' => "a GVariant string can not contain a zero character",
                'o' => $"\"{text}\" is not a D-Bus object path",
                _ => $"\"{text}\" is not a D-Bus signature",
            });
        }
        return bytes;
    }

    private static bool IsObjectPath(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path[0] != '/')
            return false;
        for (int i = 1; i < path.Length; i++)
        {
            byte c = path[i];
            if (c == '/' ? path[i - 1] == '/' : !(char.IsAsciiLetterOrDigit((char)c) || c == '_'))
                return false;
        }
        return path.Length == 1 || path[^1] != '/';
    }

    private static bool IsSignature(ReadOnlySpan<byte> signature)
    {
        // D-Bus has no maybes; everything else is GVariant's grammar.
        if (signature.IndexOfAnyExcept("ybnqiuxthdvasog(){}"u8) >= 0)
            return false;
        Span<char> text = signature.Length <= 256 ? stackalloc char[signature.Length] : new char[signature.Length];
        for (int i = 0; i < signature.Length; i++)
            text[i] = (char)signature[i];
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (VariantType.TryParsePrefix(rest, out int length) is null)
                return false;
            rest = rest[length..];
        }
        return true;
    }
}
