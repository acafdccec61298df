using System.Buffers;
using System.Buffers.Binary;

namespace OciOstree.Repository;

/// <summary>
/// Describes a file by another one, as bsdiff does (Percival, "Naive differences of executable code", 2003): stretches that are nearly
/// the same, with few bytes differing as addresses in moved code do, become differences that are mostly zero; the rest is given as it is.
/// <see cref="BinaryPatch"/> says what is written.
/// </summary>
internal static class BinaryDiff
{
    // By so many bytes must an exact match beat going on as before.
    private const int Margin = 8;

    public static void Write(Stream patch, ReadOnlySpan<byte> old, ReadOnlySpan<byte> made)
    {
        int[] suffixes = SuffixArray.Of(old);
        // Where in the new file the match ends that was taken last, and where in the old one that is.
        int done = 0, doneOld = 0, offset = 0;
        int at = 0, found = 0, length = 0;
        while (at < made.Length)
        {
            at += length;
            // How many bytes from here on the last match, carried on, would give.
            int carried = 0;
            for (int counted = at; at < made.Length; at++)
            {
                (found, length) = Longest(old, suffixes, made[at..]);
                for (; counted < at + length; counted++)
                    if (Carries(old, made, counted, offset))
                        carried++;
                if (length == carried && length != 0 || length > carried + Margin)
                    break;
                if (Carries(old, made, at, offset))
                    carried--;
            }
            if (length == carried && at < made.Length)
                continue;

            int forward = ExtendForward(old, made, done, doneOld, at);
            int backward = at < made.Length ? ExtendBackward(old, made, done, at, found) : 0;
            int overlap = done + forward - (at - backward);
            if (overlap > 0)
            {
                int kept = BestCut(old, made, done + forward - overlap, doneOld + forward - overlap, at - backward, found - backward, overlap);
                forward += kept - overlap;
                backward -= kept;
            }
            int added = at - backward - (done + forward);
            Emit(patch, old.Slice(doneOld, forward), made.Slice(done, forward), made.Slice(done + forward, added), found - backward - (doneOld + forward));
            (done, doneOld, offset) = (at - backward, found - backward, found - at);
        }
    }

    private static bool Carries(ReadOnlySpan<byte> old, ReadOnlySpan<byte> made, int at, int offset)
    {
        int there = at + offset;
        return (uint)there < (uint)old.Length && old[there] == made[at];
    }

    /// <summary>How far the last match is worth carrying on: as long as more than half of the bytes are the same.</summary>
    private static int ExtendForward(ReadOnlySpan<byte> old, ReadOnlySpan<byte> made, int done, int doneOld, int end)
    {
        int same = 0, best = 0, length = 0;
        for (int i = 0; done + i < end && doneOld + i < old.Length;)
        {
            if (old[doneOld + i] == made[done + i])
                same++;
            i++;
            if (same * 2 - i > best * 2 - length)
                (best, length) = (same, i);
        }
        return length;
    }

    /// <summary>How far the new match is worth beginning earlier.</summary>
    private static int ExtendBackward(ReadOnlySpan<byte> old, ReadOnlySpan<byte> made, int done, int at, int found)
    {
        int same = 0, best = 0, length = 0;
        for (int i = 1; at >= done + i && found >= i; i++)
        {
            if (old[found - i] == made[at - i])
                same++;
            if (same * 2 - i > best * 2 - length)
                (best, length) = (same, i);
        }
        return length;
    }

    /// <summary>Of bytes that both matches cover, how many the earlier one should keep.</summary>
    private static int BestCut(ReadOnlySpan<byte> old, ReadOnlySpan<byte> made, int earlier, int earlierOld, int later, int laterOld, int overlap)
    {
        int score = 0, best = 0, kept = 0;
        for (int i = 0; i < overlap; i++)
        {
            if (made[earlier + i] == old[earlierOld + i])
                score++;
            if (made[later + i] == old[laterOld + i])
                score--;
            if (score > best)
                (best, kept) = (score, i + 1);
        }
        return kept;
    }

    /// <summary>The longest stretch that the new file begins with here and the old one has anywhere.</summary>
    private static (int Found, int Length) Longest(ReadOnlySpan<byte> old, int[] suffixes, ReadOnlySpan<byte> wanted)
    {
        int low = 0, high = suffixes.Length, found = 0, longest = 0;
        while (low < high)
        {
            int middle = low + (high - low) / 2, start = suffixes[middle];
            ReadOnlySpan<byte> suffix = old[start..];
            int common = suffix.CommonPrefixLength(wanted);
            if (common > longest)
                (found, longest) = (start, common);
            if (common == wanted.Length)
                break;
            if (common == suffix.Length || suffix[common] < wanted[common])
                low = middle + 1;
            else
                high = middle;
        }
        return (found, longest);
    }

    private static void Emit(Stream patch, ReadOnlySpan<byte> old, ReadOnlySpan<byte> made, ReadOnlySpan<byte> added, int move)
    {
        Span<byte> control = stackalloc byte[BinaryPatch.ControlSize];
        Number(control, made.Length);
        Number(control[8..], added.Length);
        Number(control[16..], move);
        patch.Write(control);
        byte[] differences = ArrayPool<byte>.Shared.Rent(Math.Clamp(made.Length, 1, 64 << 10));
        for (int at = 0; at < made.Length;)
        {
            int length = Math.Min(differences.Length, made.Length - at);
            for (int i = 0; i < length; i++)
                differences[i] = (byte)(made[at + i] - old[at + i]);
            patch.Write(differences, 0, length);
            at += length;
        }
        ArrayPool<byte>.Shared.Return(differences);
        patch.Write(added);
    }

    private static void Number(Span<byte> at, long value) =>
        BinaryPrimitives.WriteInt64LittleEndian(at, value < 0 ? -value | long.MinValue : value);
}
