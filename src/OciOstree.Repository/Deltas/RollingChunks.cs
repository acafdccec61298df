namespace OciOstree.Repository;

/// <summary>
/// Finds what two files have in common without regard to where it is: both are cut where a sum over the last bytes says so, 8 KiB
/// apart on average, so that an insertion moves the cuts with the bytes.
/// </summary>
internal static class RollingChunks
{
    private const int Window = 64, Average = 8 << 10, Longest = 32 << 10;

    // Added to every byte, so that runs of zeroes count.
    private const uint Offset = 31;

    /// <summary>The chunks of a file that are in another, in their order.</summary>
    public static List<ChunkMatch> Match(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        Dictionary<(int Length, Checksum Digest), int> known = [];
        for (int at = 0, length; at < from.Length; at += length)
        {
            length = NextLength(from[at..]);
            known.TryAdd((length, Checksum.Compute(from.Slice(at, length))), at);
        }
        List<ChunkMatch> matches = [];
        for (int at = 0, length; at < to.Length; at += length)
        {
            length = NextLength(to[at..]);
            if (!known.TryGetValue((length, Checksum.Compute(to.Slice(at, length))), out int found))
                continue;
            // Neighbours in both files become one.
            if (matches.Count > 0 && matches[^1] is var last && last.To + last.Length == at && last.From + last.Length == found)
                matches[^1] = last with { Length = last.Length + length };
            else
                matches.Add(new ChunkMatch(found, at, length));
        }
        return matches;
    }

    private static int NextLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length > Longest)
            rest = rest[..Longest];
        uint sum = Window * Offset, weighted = Window * (Window - 1) * Offset;
        for (int i = 0; i < rest.Length; i++)
        {
            uint dropped = i >= Window ? rest[i - Window] : 0u;
            unchecked
            {
                sum += rest[i] - dropped;
                weighted += sum - Window * (dropped + Offset);
            }
            if ((weighted & Average - 1) == Average - 1)
                return i + 1;
        }
        return rest.Length;
    }
}
