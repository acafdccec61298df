using System.Text;

namespace OciOstree.Formats.Keyfile;

/// <summary>
/// Bytes to text and back without loss: a byte that is not part of valid UTF-8 becomes the lone surrogate U+DC80..U+DCFF,
/// so that a comment in some old encoding survives a rewrite.
/// </summary>
internal static class KeyfileText
{
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int used) == System.Buffers.OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                used = 1;
                text.Append((char)(0xdc00 + bytes[0]));
            }
            bytes = bytes[used..];
        }
        return text.ToString();
    }

    public static byte[] Encode(string text)
    {
        if (IsUtf8(text))
            return Encoding.UTF8.GetBytes(text);
        using var bytes = new MemoryStream(text.Length);
        ReadOnlySpan<char> rest = text;
        Span<byte> buffer = stackalloc byte[4];
        while (!rest.IsEmpty)
        {
            if (rest[0] is >= '\udc80' and <= '\udcff')
            {
                bytes.WriteByte((byte)(rest[0] - 0xdc00));
                rest = rest[1..];
                continue;
            }
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) != System.Buffers.OperationStatus.Done)
                throw new KeyfileException("text with a lone surrogate can not be written to a keyfile");
            bytes.Write(buffer[..rune.EncodeToUtf8(buffer)]);
            rest = rest[used..];
        }
        return bytes.ToArray();
    }

    /// <summary>False if the text carries bytes that are not UTF-8.</summary>
    public static bool IsUtf8(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }
        return true;
    }
}
