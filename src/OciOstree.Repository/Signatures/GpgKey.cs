using System.Globalization;
using System.Text;

namespace OciOstree.Repository;

/// <summary>A key, primary or not, as gpg lists it. Times are in seconds since 1970; an expiry of 0 is none.</summary>
public sealed record GpgKey
{
    internal static readonly string[] ListOptions = ["--with-colons", "--fixed-list-mode", "--with-fingerprint", "--with-fingerprint"];

    public string KeyId { get; init; } = "";

    public string Fingerprint { get; init; } = "";

    public long Created { get; init; }

    public long Expires { get; init; }

    public bool IsRevoked { get; init; }

    public bool IsExpired { get; init; }

    public bool IsInvalid { get; init; }

    /// <summary>Of a primary key.</summary>
    public IReadOnlyList<GpgUserId> UserIds { get; init; } = [];

    /// <summary>Of a primary key.</summary>
    public IReadOnlyList<GpgKey> Subkeys { get; init; } = [];

    /// <summary>This key or the one of its subkeys that a fingerprint or a key ID, its end, names.</summary>
    public GpgKey? Find(string fingerprint) => Is(fingerprint) ? this : Subkeys.FirstOrDefault(key => key.Is(fingerprint));

    private bool Is(string fingerprint) => fingerprint.Length >= 16 && Fingerprint.EndsWith(fingerprint, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads what <c>--with-colons</c> prints: a record a line, fields between colons (GnuPG's doc/DETAILS).</summary>
    internal static List<GpgKey> Parse(string listing)
    {
        List<GpgKey> keys = [];
        List<GpgKey> subkeys = [];
        List<GpgUserId> users = [];
        bool inSubkey = false;
        foreach (string line in listing.Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length < 10)
                continue;
            switch (fields[0])
            {
                case "pub" or "sec":
                    Close();
                    (subkeys, users, inSubkey) = ([], [], false);
                    keys.Add(Read(fields));
                    break;
                case "sub" or "ssb" when keys.Count > 0:
                    subkeys.Add(Read(fields));
                    inSubkey = true;
                    break;
                case "fpr" when inSubkey && subkeys.Count > 0:
                    subkeys[^1] = subkeys[^1] with { Fingerprint = fields[9] };
                    break;
                case "fpr" when keys.Count > 0:
                    keys[^1] = keys[^1] with { Fingerprint = fields[9] };
                    break;
                case "uid":
                    users.Add(GpgUserId.Parse(Unescape(fields[9]), fields[1]));
                    break;
                default:
                    break;
            }
        }
        Close();
        return keys;

        void Close()
        {
            if (keys.Count > 0)
                keys[^1] = keys[^1] with { Subkeys = subkeys, UserIds = users };
        }
    }

    private static GpgKey Read(string[] fields) => new()
    {
        KeyId = fields[4],
        Created = Seconds(fields[5]),
        Expires = Seconds(fields[6]),
        IsRevoked = fields[1].StartsWith('r'),
        IsExpired = fields[1].StartsWith('e'),
        IsInvalid = fields[1].StartsWith('i'),
    };

    internal static long Seconds(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? seconds : 0;

    // Field separators and control characters are written as \xHH.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && bytes[i + 1] == 'x' && byte.TryParse(bytes.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes[length++] = value;
                i += 3;
            }
            else
                bytes[length++] = bytes[i];
        }
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
