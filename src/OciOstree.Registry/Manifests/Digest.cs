using System.Security.Cryptography;

namespace OciOstree.Registry;

/// <summary>
/// A content digest as OCI writes it: <c>algorithm:hex</c>. The hex part is checked for the length and the alphabet of its
/// algorithm, so a digest is safe to use as a file name.
/// </summary>
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    private readonly string? text;

    private Digest(string text) => this.text = text;

    /// <summary><c>sha256</c>, <c>sha384</c> or <c>sha512</c>; empty for the default value.</summary>
    public string Algorithm => text is null ? "" : text[..text.IndexOf(':')];

    /// <summary>The lower-case hexadecimal part.</summary>
    public string Hex => text is null ? "" : text[(text.IndexOf(':') + 1)..];

    /// <summary>True for <c>default</c>, which names no content.</summary>
    public bool IsEmpty => text is null;

    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    /// <exception cref="RegistryException">It is not a digest of a known algorithm.</exception>
    public static Digest Parse(string value) =>
        TryParse(value, out var digest) ? digest : throw new RegistryException($"invalid digest '{Printable.Clip(value)}'");

    public static bool TryParse(string? value, out Digest digest)
    {
        digest = default;
        if (value is null)
        {
            return false;
        }

        var colon = value.IndexOf(':');
        var digits = colon < 0 ? 0 : HexDigits(value.AsSpan(0, colon));
        if (digits == 0 || value.Length - colon - 1 != digits || value.AsSpan(colon + 1).ContainsAnyExcept("0123456789abcdef"))
        {
            return false;
        }

        digest = new Digest(value);
        return true;
    }

    /// <summary>A digest from the raw bytes of a SHA-256.</summary>
    public static Digest FromSha256(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        return new Digest("sha256:" + Convert.ToHexStringLower(hash));
    }

    /// <summary>The SHA-256 digest of some bytes.</summary>
    public static Digest Compute(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromSha256(hash);
    }

    /// <summary>Whether these bytes have this digest, by whatever algorithm it names.</summary>
    public bool Matches(ReadOnlySpan<byte> content)
    {
        if (IsEmpty)
        {
            return false;
        }

        using var hash = CreateHash();
        hash.AppendData(content);
        return Matches(hash);
    }

    public bool Equals(Digest other) => string.Equals(text, other.text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    public override int GetHashCode() => text is null ? 0 : text.GetHashCode(StringComparison.Ordinal);

    public int CompareTo(Digest other) => string.CompareOrdinal(text, other.text);

    public override string ToString() => text ?? "";

    /// <summary>A running hash of this digest's algorithm.</summary>
    internal IncrementalHash CreateHash() => IncrementalHash.CreateHash(Algorithm switch
    {
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA256,
    });

    /// <summary>Ends a running hash of this digest's algorithm and compares.</summary>
    internal bool Matches(IncrementalHash hash)
    {
        Span<byte> value = stackalloc byte[SHA512.HashSizeInBytes];
        var length = hash.GetHashAndReset(value);
        return Hex.AsSpan().SequenceEqual(Convert.ToHexStringLower(value[..length]));
    }

    private static int HexDigits(ReadOnlySpan<char> algorithm) => algorithm switch
    {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => 0,
    };
}
