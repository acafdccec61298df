using System.Text;

namespace OciOstree.Repository;

/// <summary>
/// The order in which a GLib hash table with strings as keys is walked: by slot, and a key's slot follows from its hash, the table's size
/// and what was there when it came. Where ostree writes such an order into an object, the checksum depends on it.
/// </summary>
internal static class HashTableOrder
{
    private const int SmallestShift = 3;

    // For each power of two the largest prime below it, as GHashTable has them.
    private static readonly uint[] Primes = [1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521];

    /// <summary>The entries, inserted in the order given, as the table is walked; the last of several with the same key counts.</summary>
    public static List<KeyValuePair<string, T>> Sort<T>(IEnumerable<KeyValuePair<string, T>> entries)
    {
        int shift = SmallestShift, count = 0;
        var slots = new Slot<T>?[1 << shift];
        foreach (KeyValuePair<string, T> entry in entries)
        {
            uint hash = Hash(entry.Key);
            int index = First(hash, shift);
            for (int step = 1; slots[index] is { } taken && (taken.Hash != hash || taken.Entry.Key != entry.Key); step++)
                index = (index + step) & (slots.Length - 1);
            if (slots[index] == null)
                count++;
            slots[index] = new Slot<T>(hash, entry);
            if (slots.Length <= count + count / 16)
                slots = Resize(slots, shift = Math.Max(SmallestShift, BitLength((int)(count * 1.333))));
        }
        return [.. slots.OfType<Slot<T>>().Select(static slot => slot.Entry)];
    }

    // GHashTable moves its entries within one array: what stands in an entry's new slot and has not moved yet is evicted and moves next.
    private static Slot<T>?[] Resize<T>(Slot<T>?[] old, int shift)
    {
        var slots = new Slot<T>?[Math.Max(old.Length, 1 << shift)];
        old.CopyTo(slots, 0);
        var settled = new bool[slots.Length];
        int mask = (1 << shift) - 1;
        for (int i = 0; i < old.Length; i++)
        {
            if (settled[i] || slots[i] is not { } moving)
                continue;
            slots[i] = null;
            while (true)
            {
                int index = First(moving.Hash, shift);
                for (int step = 1; settled[index]; step++)
                    index = (index + step) & mask;
                settled[index] = true;
                Slot<T>? evicted = slots[index];
                slots[index] = moving;
                if (evicted == null)
                    break;
                moving = evicted;
            }
        }
        return slots;
    }

    private static int First(uint hash, int shift) => (int)(hash * 11 % Primes[shift]);

    private static int BitLength(int value) => value == 0 ? 0 : int.Log2(value) + 1;

    // djb2 over signed chars; 0 and 1 mark free slots.
    private static uint Hash(string key)
    {
        uint hash = 5381;
        foreach (byte b in Encoding.UTF8.GetBytes(key))
            hash = unchecked((hash << 5) + hash + (uint)(sbyte)b);
        return Math.Max(hash, 2);
    }

    private sealed record Slot<T>(uint Hash, KeyValuePair<string, T> Entry);
}
