using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace OciOstree.Repository;

/// <summary>A SHA-256 digest as 32 inline bytes: the name of an object. The default value is all zeroes.</summary>
public readonly struct Checksum : IEquatable<Checksum>, IComparable<Checksum>
{
    /// <summary>The digest's length in bytes.</summary>
    public const int Size = 32;

    /// <summary>The length of the lower-case hexadecimal text form.</summary>
    public const int HexLength = 64;

    // Four words in memory order: comparing for equality and hashing need no loop over bytes.
    private readonly ulong w0, w1, w2, w3;

    private Checksum(ReadOnlySpan<byte> bytes)
    {
        w0 = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        w1 = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        w2 = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        w3 = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>Takes exactly 32 bytes.</summary>
    /// <exception cref="RepositoryException">The length is another.</exception>
    public static Checksum FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size ? new Checksum(bytes) : throw new RepositoryException($"Invalid checksum of length {bytes.Length}, expected 32");

    /// <summary>Parses 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="RepositoryException">The text is anything else.</exception>
    public static Checksum Parse(ReadOnlySpan<char> hex) =>
        TryParse(hex, out Checksum checksum) ? checksum : throw new RepositoryException(
            hex.Length == HexLength ? $"Invalid checksum '{hex}': not lower-case hexadecimal" : $"Invalid checksum '{hex}': {hex.Length} characters, expected 64");

    /// <summary>Parses 64 lower-case hexadecimal digits; upper case is refused, as ostree refuses it.</summary>
    public static bool TryParse(ReadOnlySpan<char> hex, out Checksum checksum)
    {
        checksum = default;
        if (hex.Length != HexLength)
            return false;
        Span<byte> bytes = stackalloc byte[Size];
        for (int i = 0; i < Size; i++)
        {
            int high = Digit(hex[2 * i]), low = Digit(hex[2 * i + 1]);
            if ((high | low) < 0)
                return false;
            bytes[i] = (byte)(high << 4 | low);
        }
        checksum = new Checksum(bytes);
        return true;

        static int Digit(char c) => c is >= '0' and <= '9' ? c - '0' : c is >= 'a' and <= 'f' ? c - 'a' + 10 : -1;
    }

    /// <summary>The SHA-256 of some bytes.</summary>
    public static Checksum Compute(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(data, digest);
        return new Checksum(digest);
    }

    /// <summary>The first byte: the name of the directory that an object is kept in.</summary>
    public byte FirstByte => (byte)(w0 >> 56);

    /// <summary>Writes the 32 bytes.</summary>
    public void WriteTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, w0);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], w1);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], w2);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], w3);
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Size];
        WriteTo(bytes);
        return bytes;
    }

    /// <summary>Writes the 64 hexadecimal digits.</summary>
    public void FormatHex(Span<char> destination)
    {
        ReadOnlySpan<char> digits = "0123456789abcdef";
        Span<byte> bytes = stackalloc byte[Size];
        WriteTo(bytes);
        for (int i = 0; i < Size; i++)
        {
            destination[2 * i] = digits[bytes[i] >> 4];
            destination[2 * i + 1] = digits[bytes[i] & 15];
        }
    }

    public override string ToString() => string.Create(HexLength, this, static (span, checksum) => checksum.FormatHex(span));

    public bool Equals(Checksum other) => w0 == other.w0 && w1 == other.w1 && w2 == other.w2 && w3 == other.w3;

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Checksum other && Equals(other);

    // A digest's bits are as good a hash as any.
    public override int GetHashCode() => (int)w1;

    /// <summary>Orders by bytes, which is also the order of the text forms.</summary>
    public int CompareTo(Checksum other)
    {
        int order = w0.CompareTo(other.w0);
        if (order == 0) order = w1.CompareTo(other.w1);
        if (order == 0) order = w2.CompareTo(other.w2);
        return order != 0 ? order : w3.CompareTo(other.w3);
    }

    public static bool operator ==(Checksum left, Checksum right) => left.Equals(right);

    public static bool operator !=(Checksum left, Checksum right) => !left.Equals(right);
}
