using System.Globalization;
using System.Text;

namespace OciOstree.Repository;

/// <summary>What gpg found of one signature. Times are in seconds since 1970; an expiry of 0 is none.</summary>
public sealed record GpgSignature
{
    /// <summary>Good, and by a key that is known, neither expired nor revoked.</summary>
    public bool IsValid { get; init; }

    public bool IsExpired { get; init; }

    public bool IsKeyExpired { get; init; }

    public bool IsKeyRevoked { get; init; }

    public bool IsKeyMissing { get; init; }

    /// <summary>Of the key or subkey that signed; only its end, the key ID, where no more is known.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>Of the primary key; empty where the key is not known.</summary>
    public string PrimaryFingerprint { get; init; } = "";

    public long Timestamp { get; init; }

    public long Expires { get; init; }

    /// <summary>The key's algorithm in OpenPGP's numbers.</summary>
    public int Algorithm { get; init; }

    public string? UserName { get; init; }

    public string? UserEmail { get; init; }

    public long KeyExpires { get; init; }

    public long PrimaryKeyExpires { get; init; }

    internal GpgSignature WithKey(IEnumerable<GpgKey> keys)
    {
        foreach (GpgKey primary in keys)
            if (primary.Find(Fingerprint) is { } key)
                return this with
                {
                    PrimaryFingerprint = primary.Fingerprint,
                    UserName = primary.UserIds.FirstOrDefault()?.Name,
                    UserEmail = primary.UserIds.FirstOrDefault()?.Email,
                    KeyExpires = key.Expires,
                    PrimaryKeyExpires = primary.Expires,
                };
        return this;
    }

    /// <summary>Appends lines that tell of the signature, in libostree's words.</summary>
    public void Describe(StringBuilder text, string prefix)
    {
        Line($"Signature made {Date(Timestamp)} using {AlgorithmName} key ID {KeyId(Fingerprint)}");
        string who = $"\"{Printable(UserName ?? "[unknown name]")} <{Printable(UserEmail ?? "[unknown email]")}>\"";
        Line(IsKeyMissing ? "Can't check signature: public key not found"
            : IsValid ? $"Good signature from {who}"
            : IsKeyRevoked ? "Key revoked"
            : IsExpired ? $"Expired signature from {who}"
            : $"BAD signature from {who}");
        bool bySubkey = Fingerprint != PrimaryFingerprint;
        if (!IsKeyMissing && bySubkey)
            Line($"Primary key ID {KeyId(PrimaryFingerprint)}");
        Expiry("Signature", Expires, IsExpired);
        Expiry("Key", KeyExpires, IsKeyExpired);
        if (bySubkey)
            Expiry("Primary key", PrimaryKeyExpires, IsKeyExpired);

        void Expiry(string what, long when, bool past)
        {
            if (when > 0)
                Line($"{what} {(past ? "expired" : "expires")} {Date(when)}");
        }

        void Line(string line) => text.Append(prefix).Append(line).Append('\n');
    }

    private string AlgorithmName => Algorithm switch
    {
        1 => "RSA",
        2 => "RSA-E",
        3 => "RSA-S",
        16 => "ELG-E",
        17 => "DSA",
        18 => "ECDH",
        19 => "ECDSA",
        20 => "ELG",
        22 => "EdDSA",
        _ => "[unknown name]",
    };

    private static string KeyId(string fingerprint) => fingerprint.Length > 16 ? fingerprint[^16..] : fingerprint;

    // GLib pads days with a space as wide as a digit, where the locale's encoding has it.
    private static readonly char DayPadding = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value)) is { } locale
        && (locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase)) ? '\u2007' : ' ';

    /// <summary>As GLib's %c in the C locale, in local time.</summary>
    public static string Date(long seconds)
    {
        if (seconds is < 0 or > 253402300799)
            return "at no time";
        DateTimeOffset local = DateTimeOffset.FromUnixTimeSeconds(seconds).ToLocalTime();
        return local.ToString("ddd MMM ", CultureInfo.InvariantCulture) + local.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2, DayPadding) + local.ToString(" HH:mm:ss yyyy", CultureInfo.InvariantCulture);
    }

    // Names are anybody's to choose, and a terminal obeys control characters.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
