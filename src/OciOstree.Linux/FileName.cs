using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace OciOstree.Linux;

/// <summary>
/// The kernel's file names are bytes, ours are strings. Bytes that are not UTF-8 are carried as lone low surrogates
/// U+DC80..U+DCFF (as Python's <c>surrogateescape</c>), so that every name survives the way there and back.
/// </summary>
public static class FileName
{
    /// <summary>Decodes a name or a path.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes))
            return Encoding.ASCII.GetString(bytes);
        if (Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
                bytes = bytes[consumed..];
            }
            else
            {
                // One byte at a time: the decoder may skip several bytes of a broken sequence at once.
                text.Append((char)(0xDC00 + bytes[0]));
                bytes = bytes[1..];
            }
        }
        return text.ToString();
    }

    /// <summary>Encodes a name or a path; the inverse of <see cref="FromBytes"/>.</summary>
    /// <exception cref="ArgumentException">A surrogate that stands for no byte.</exception>
    public static byte[] ToBytes(string name)
    {
        var bytes = new byte[ByteCount(name)];
        Encode(name, bytes);
        return bytes;
    }

    /// <summary>False if the name carries bytes that are not UTF-8.</summary>
    public static bool IsUtf8(string name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i]))
                continue;
            if (i + 1 < name.Length && char.IsSurrogatePair(name[i], name[i + 1]))
                i++;
            else
                return false;
        }
        return true;
    }

    /// <summary>The length of the name in bytes as the kernel sees it.</summary>
    public static int ByteCount(string name)
    {
        int escapes = 0;
        int count = 0;
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (c < 0x80)
                count++;
            else if (c < 0x800)
                count += 2;
            else if (!char.IsSurrogate(c))
                count += 3;
            else if (i + 1 < name.Length && char.IsSurrogatePair(c, name[i + 1]))
            {
                count += 4;
                i++;
            }
            else
                escapes++;
        }
        return count + escapes;
    }

    /// <summary>Encodes into a buffer of at least <see cref="ByteCount"/> bytes; returns how many were written.</summary>
    public static int Encode(string name, Span<byte> destination)
    {
        if (Ascii.FromUtf16(name, destination, out int written) == OperationStatus.Done)
            return written;
        int at = 0;
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (!char.IsSurrogate(c))
                at += new Rune(c).EncodeToUtf8(destination[at..]);
            else if (i + 1 < name.Length && char.IsSurrogatePair(c, name[i + 1]))
                at += new Rune(c, name[++i]).EncodeToUtf8(destination[at..]);
            else if (c is >= (char)0xDC80 and <= (char)0xDCFF)
                destination[at++] = (byte)(c - 0xDC00);
            else
                ThrowBadSurrogate(c);
        }
        return at;
    }

    /// <summary>The order of the bytes, which is ostree's order of names (and not that of UTF-16).</summary>
    public static int Compare(string a, string b)
    {
        int shared = Math.Min(a.Length, b.Length);
        for (int i = 0; i < shared; i++)
        {
            char x = a[i], y = b[i];
            if (x == y)
                continue;
            if (x < 0x80 && y < 0x80)
                return x - y;
            return ToBytes(a).AsSpan().SequenceCompareTo(ToBytes(b));
        }
        return a.Length - b.Length;
    }

    /// <summary>A name for people: control characters and undecodable bytes as <c>\xNN</c>, so that a hostile name cannot break a line.</summary>
    public static string ForDisplay(string name)
    {
        bool plain = true;
        foreach (char c in name)
            plain &= !char.IsControl(c) && !char.IsSurrogate(c);
        if (plain)
            return name;
        var text = new StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (i + 1 < name.Length && char.IsSurrogatePair(c, name[i + 1]))
                text.Append(c).Append(name[++i]);
            else if (c is >= (char)0xDC80 and <= (char)0xDCFF)
                text.Append($"\\x{c - 0xDC00:x2}");
            else if (char.IsSurrogate(c) || char.IsControl(c))
                text.Append($"\\x{(int)c:x2}");
            else
                text.Append(c);
        }
        return text.ToString();
    }

    [DoesNotReturn]
    private static void ThrowBadSurrogate(char c) =>
        throw new ArgumentException($"a file name cannot hold the lone surrogate U+{(int)c:X4}");
}
