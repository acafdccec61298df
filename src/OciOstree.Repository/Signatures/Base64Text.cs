namespace OciOstree.Repository;

/// <summary>
/// Base64 as GLib reads it, since keys that its users have must go on working: what is outside of the alphabet is passed over, and what is
/// left at the end of less than four characters is dropped.
/// </summary>
internal static class Base64Text
{
    public static byte[] Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        int length = 0, group = 0, taken = 0;
        char last = '\0', beforeLast = '\0';
        foreach (char c in text)
        {
            int value = Value(c);
            if (value < 0)
                continue;
            (beforeLast, last) = (last, c);
            group = group << 6 | value;
            if (++taken % 4 != 0)
                continue;
            bytes[length++] = (byte)(group >> 16);
            if (beforeLast != '=')
                bytes[length++] = (byte)(group >> 8);
            if (last != '=')
                bytes[length++] = (byte)group;
            group = 0;
        }
        return bytes[..length];
    }

    private static int Value(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '+' => 62,
        '/' => 63,
        '=' => 0,
        _ => -1,
    };
}
