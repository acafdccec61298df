namespace OciOstree.Testing;

/// <summary>Feeds a parser damaged variants of what it reads, the same ones in every run.</summary>
public static class Mutations
{
    // Generous for inputs of a few kilobytes; what a length field merely claims would be far above.
    private const long MemoryLimit = 64 << 20;

    private static readonly byte[][] interesting =
        [[0], [0xff], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "\n"u8.ToArray(), "\""u8.ToArray(), "\\"u8.ToArray(), "="u8.ToArray(), "["u8.ToArray(), "{"u8.ToArray(), ","u8.ToArray(),
         ":"u8.ToArray(), "'"u8.ToArray(), "-1"u8.ToArray(), "99999999999999999999"u8.ToArray(), "1e999"u8.ToArray(), "%"u8.ToArray(), "../"u8.ToArray(), [0xed, 0xa0, 0x80], [0xc3, 0x28], "null"u8.ToArray(), [.. Enumerable.Repeat((byte)'[', 3000)]];

    /// <summary>
    /// Reads <paramref name="valid"/>, which must succeed, and then <paramref name="rounds"/> damaged variants of it: each is read, or is refused with a
    /// <typeparamref name="TException"/>; anything else that comes out, and more memory than the input could account for, fails.
    /// </summary>
    /// <param name="refuses">Whether the format has invalid texts at all: then one must have been refused.</param>
    public static void Feed<TException>(byte[] valid, Action<byte[]> parse, int rounds = 2000, bool refuses = true)
        where TException : Exception
    {
        parse(valid);
        Random random = new(valid.Length);
        int refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = valid;
            for (int times = random.Next(1, 4); times > 0; times--)
                damaged = Damage(damaged, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                parse(damaged);
            }
            catch (TException)
            {
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"round {round}: {e.GetType().Name} for {Convert.ToHexString(damaged.AsSpan(0, Math.Min(damaged.Length, 2000)))}", e);
            }
            long used = GC.GetAllocatedBytesForCurrentThread() - before;
            if (used > MemoryLimit)
                throw new InvalidOperationException($"round {round}: {used} bytes for an input of {damaged.Length}: {Convert.ToHexString(damaged.AsSpan(0, Math.Min(damaged.Length, 2000)))}");
        }
        if (refuses && refused == 0)
            throw new InvalidOperationException("no variant was refused: is anything checked at all?");
    }

    private static byte[] Damage(byte[] input, Random random)
    {
        int at = random.Next(input.Length + 1), end = Math.Min(input.Length, at + random.Next(1, 40));
        byte[] piece = interesting[random.Next(interesting.Length)];
        switch (random.Next(7))
        {
            case 0 when at < input.Length:
                byte[] flipped = (byte[])input.Clone();
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1:
                return input[..at];
            case 2:
                return [.. input[..at], .. input[end..]];
            case 3:
                return [.. input[..at], .. input[at..end], .. input[at..]];
            case 4:
                return [.. input[..at], .. piece, .. input[at..]];
            case 5:
                return [.. input[..at], .. piece, .. input[Math.Min(input.Length, at + piece.Length)..]];
            default:
                int from = random.Next(input.Length + 1);
                return [.. input[..at], .. input[from..Math.Min(input.Length, from + random.Next(1, 200))], .. input[at..]];
        }
    }
}
