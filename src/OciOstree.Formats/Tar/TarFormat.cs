using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace OciOstree.Formats.Tar;

/// <summary>The fields of a 512-byte header block (POSIX.1-1988 ustar, and what GNU tar and old tar put in the same places).</summary>
internal static class TarFormat
{
    internal const int BlockSize = 512;

    // name mode uid gid size mtime checksum type link magic+version uname gname major minor prefix
    internal static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> block) => block[..100];
    internal static ReadOnlySpan<byte> Mode(ReadOnlySpan<byte> block) => block.Slice(100, 8);
    internal static ReadOnlySpan<byte> Uid(ReadOnlySpan<byte> block) => block.Slice(108, 8);
    internal static ReadOnlySpan<byte> Gid(ReadOnlySpan<byte> block) => block.Slice(116, 8);
    internal static ReadOnlySpan<byte> Size(ReadOnlySpan<byte> block) => block.Slice(124, 12);
    internal static ReadOnlySpan<byte> Modified(ReadOnlySpan<byte> block) => block.Slice(136, 12);
    internal static ReadOnlySpan<byte> Checksum(ReadOnlySpan<byte> block) => block.Slice(148, 8);
    internal static byte Type(ReadOnlySpan<byte> block) => block[156];
    internal static ReadOnlySpan<byte> Link(ReadOnlySpan<byte> block) => block.Slice(157, 100);
    internal static ReadOnlySpan<byte> Magic(ReadOnlySpan<byte> block) => block.Slice(257, 8);
    internal static ReadOnlySpan<byte> UserName(ReadOnlySpan<byte> block) => block.Slice(265, 32);
    internal static ReadOnlySpan<byte> GroupName(ReadOnlySpan<byte> block) => block.Slice(297, 32);
    internal static ReadOnlySpan<byte> DeviceMajor(ReadOnlySpan<byte> block) => block.Slice(329, 8);
    internal static ReadOnlySpan<byte> DeviceMinor(ReadOnlySpan<byte> block) => block.Slice(337, 8);
    internal static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> block) => block.Slice(345, 155);

    internal static ReadOnlySpan<byte> UstarMagic => "ustar\000"u8;
    internal static ReadOnlySpan<byte> GnuMagic => "ustar  \0"u8;

    /// <summary>Bytes that follow <paramref name="size"/> bytes of content up to the next block.</summary>
    internal static int Padding(long size) => (int)(-size & (BlockSize - 1));

    internal static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    internal static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>
    /// Octal digits, or GNU's binary form: the top bit of the first byte says so, the rest is a two's complement big-endian number.
    /// An empty field is zero.
    /// </summary>
    internal static bool TryParseNumber(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0)
        {
            bool negative = (field[0] & 0x40) != 0;
            // The flag bit itself becomes a sign bit, so that the whole field is one big-endian number.
            long number = negative ? -1 : 0;
            for (int i = 0; i < field.Length; i++)
            {
                byte b = field[i];
                if (i == 0)
                {
                    b = (byte)(negative ? b | 0x80 : b & 0x7f);
                }

                if (number >> 55 != (negative ? -1 : 0))
                {
                    return false;
                }

                number = (number << 8) | b;
            }

            value = number;
            return true;
        }

        int at = 0;
        int end = field.Length;
        while (at < end && (field[at] == ' ' || field[at] == 0))
        {
            at++;
        }

        while (end > at && (field[end - 1] == ' ' || field[end - 1] == 0))
        {
            end--;
        }

        for (; at < end; at++)
        {
            byte b = field[at];
            if (b is 0 or (byte)' ')
            {
                break; // what follows the terminator is not part of the number
            }

            if (b is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (uint)(b - '0'); // at most 12 digits: 36 bits
        }

        return true;
    }

    /// <summary>Writes octal digits and a NUL where they fit, else GNU's binary form.</summary>
    internal static void PutNumber(Span<byte> field, long value)
    {
        int digits = field.Length - 1;
        if (value < 0 || value >> (3 * digits) != 0)
        {
            field.Fill(value < 0 ? (byte)0xff : (byte)0);
            BinaryPrimitives.WriteInt64BigEndian(field[^8..], value);
            field[0] |= 0x80;
            return;
        }

        field[digits] = 0;
        for (int i = digits - 1; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    /// <summary>The sum of the header's bytes with the checksum field taken as eight spaces.</summary>
    internal static int Sum(ReadOnlySpan<byte> block)
    {
        Vector<uint> total = Vector<uint>.Zero;
        int at = 0;
        if (Vector.IsHardwareAccelerated)
        {
            foreach (Vector<byte> bytes in MemoryMarshal.Cast<byte, Vector<byte>>(block))
            {
                Vector.Widen(bytes, out Vector<ushort> low, out Vector<ushort> high);
                Vector.Widen(low + high, out Vector<uint> first, out Vector<uint> second);
                total += first + second;
                at += Vector<byte>.Count;
            }
        }

        int sum = (int)Vector.Sum(total);
        for (; at < block.Length; at++)
        {
            sum += block[at];
        }

        foreach (byte b in Checksum(block))
        {
            sum += ' ' - b;
        }

        return sum;
    }

    /// <summary>The same as <see cref="Sum"/> with bytes taken as signed, as some historic tars had it.</summary>
    internal static int SignedSum(ReadOnlySpan<byte> block)
    {
        int sum = 0;
        foreach (byte b in block)
        {
            sum += (sbyte)b;
        }

        foreach (byte b in Checksum(block))
        {
            sum += ' ' - (sbyte)b;
        }

        return sum;
    }
}
