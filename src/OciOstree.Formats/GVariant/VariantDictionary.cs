using System.Text;

namespace OciOstree.Formats.GVariant;

/// <summary>
/// An <c>a{sv}</c> being put together: of a key that is set twice the last value counts. Its entries come out in the order in
/// which GLib's GVariantDict gives them, which is that of GLib's hash table, so that what ostree hashes after using one
/// (a commit's metadata, with <c>--bootable</c>) gets the same checksum from us.
/// </summary>
public sealed class VariantDictionary
{
    private const int SmallestShift = 3;

    // The largest primes below the powers of two: GLib reduces hashes by them and probes in the power of two.
    private static readonly int[] Primes =
    [
        1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287, 1048573, 2097143, 4194301,
    ];

    private string?[] slots = new string?[1 << SmallestShift];
    private int modulus = Primes[SmallestShift];
    private readonly Dictionary<string, Variant> values = new(StringComparer.Ordinal);

    public VariantDictionary()
    {
    }

    /// <param name="initial">An <c>a{sv}</c> to start from.</param>
    public VariantDictionary(Variant initial)
    {
        foreach (Variant entry in initial.Children)
            this[entry[0].AsString()] = entry[1].AsVariant();
    }

    /// <summary>The value of a key, null if there is none. Setting null is no way to remove one.</summary>
    public Variant? this[string key]
    {
        get => values.GetValueOrDefault(key);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (!values.TryAdd(key, value))
            {
                values[key] = value;
                return;
            }
            int at = Place(key);
            for (int step = 1; slots[at] is not null; step++)
                at = (at + step) & (slots.Length - 1);
            slots[at] = key;
            if (slots.Length <= values.Count + values.Count / 16)
                Grow();
        }
    }

    /// <summary>The <c>a{sv}</c>.</summary>
    public Variant ToVariant() => Variant.Dictionary(slots.OfType<string>().Select(key => KeyValuePair.Create(key, values[key])));

    private int Place(string key)
    {
        // djb2 over signed characters, as g_str_hash; 0 and 1 mark free and removed slots.
        uint hash = 5381;
        foreach (byte b in Encoding.UTF8.GetBytes(key))
            hash = unchecked(hash * 33 + (uint)(sbyte)b);
        if (hash < 2)
            hash = 2;
        return (int)(unchecked(hash * 11) % (uint)modulus);
    }

    // Keys move within the table, each to its first slot that no moved key has taken; who is there is moved next.
    private void Grow()
    {
        int shift = SmallestShift;
        while ((int)(values.Count * 1.333) >> shift > 0)
            shift++;
        if (shift >= Primes.Length)
            throw new VariantException("a dictionary has too many keys");
        int before = slots.Length;
        modulus = Primes[shift];
        System.Array.Resize(ref slots, Math.Max(before, 1 << shift));
        var moved = new bool[slots.Length];
        for (int i = 0; i < before; i++)
        {
            if (moved[i])
                continue;
            string? key = slots[i];
            slots[i] = null;
            while (key is not null)
            {
                int at = Place(key);
                for (int step = 1; moved[at]; step++)
                    at = (at + step) & (slots.Length - 1);
                moved[at] = true;
                (slots[at], key) = (key, slots[at]);
            }
        }
    }
}
