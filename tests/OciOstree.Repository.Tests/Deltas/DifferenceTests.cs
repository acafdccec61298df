namespace OciOstree.Repository.Tests;

/// <summary>What files have in common: suffixes, patches, chunks.</summary>
public sealed class DifferenceTests
{
    private static byte[] Bytes(Random random, int size, int letters = 256)
    {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++)
            bytes[i] = (byte)random.Next(letters);
        return bytes;
    }

    [Fact]
    public void Suffixes_are_sorted()
    {
        Random random = new(1);
        List<byte[]> texts = [[], [7], [1, 1], [2, 1], [1, 2], new byte[500], "mississippi"u8.ToArray(), "abababababababab"u8.ToArray(), [255, 0, 255, 0, 255]];
        for (int i = 0; i < 300; i++)
            texts.Add(Bytes(random, random.Next(200), letters: 1 + random.Next(4) * random.Next(70)));
        foreach (byte[] text in texts)
        {
            int[] expected = [.. Enumerable.Range(0, text.Length)];
            Array.Sort(expected, (a, b) => text.AsSpan(a).SequenceCompareTo(text.AsSpan(b)));
            Assert.Equal(expected, SuffixArray.Of(text));
        }
    }

    [Fact]
    public void A_patch_makes_the_new_file_of_the_old()
    {
        Random random = new(2);
        using ScratchDirectory scratch = new("patch");
        using Repo repo = TransactionTests.New(scratch, RepoMode.BareUser);
        (byte[], byte[])[] pairs =
        [
            ([], []), ([], [1, 2, 3]), ([1, 2, 3], []), ([1, 2, 3], [1, 2, 3]), (new byte[100_000], new byte[99_999]), (Bytes(random, 5000), Bytes(random, 7000)),
            .. Enumerable.Range(0, 60).Select(_ =>
            {
                byte[] old = Bytes(random, 1 + random.Next(20_000), 2 + random.Next(200));
                return (old, Changed(random, old));
            }),
        ];
        foreach ((byte[] old, byte[] made) in pairs)
        {
            using MemoryStream patch = new();
            BinaryDiff.Write(patch, old, made);
            Assert.Equal(made, Patched(repo, patch.ToArray(), old, made.Length));
        }
    }

    [Fact]
    public void Scattered_changes_cost_little()
    {
        // As in moved code: an address every few dozen bytes differs.
        Random random = new(3);
        byte[] old = Bytes(random, 200_000), made = [.. "a new header"u8, .. old];
        for (int i = 100; i < made.Length; i += 40)
            made[i]++;
        using MemoryStream patch = new(), packed = new();
        BinaryDiff.Write(patch, old, made);
        using (Formats.Compression.XzCompressor xz = new(packed))
            xz.Write(patch.ToArray());
        Assert.InRange(packed.Length, 1, made.Length / 20);
    }

    [Fact]
    public void Damaged_patches_are_refused()
    {
        Random random = new(4);
        using ScratchDirectory scratch = new("patch");
        using Repo repo = TransactionTests.New(scratch, RepoMode.BareUser);
        byte[] old = Bytes(random, 300), made = Changed(random, old);
        using MemoryStream written = new();
        BinaryDiff.Write(written, old, made);
        byte[] patch = written.ToArray();
        for (int length = 0; length < patch.Length; length++)
            Assert.ThrowsAny<RepositoryException>(() => Patched(repo, patch[..length], old, made.Length));
        for (int i = 0; i < 2000; i++)
        {
            byte[] damaged = [.. patch];
            damaged[random.Next(24)] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.Equal(made.Length, Patched(repo, damaged, old, made.Length).Length);
            }
            catch (RepositoryException e)
            {
                Assert.Equal("bsdiff patch failed", e.Message);
            }
        }
    }

    [Fact]
    public void Chunks_are_found_wherever_they_are()
    {
        Random random = new(5);
        byte[] old = Bytes(random, 1 << 20);
        byte[] made = [.. Bytes(random, 1000), .. old[500_000..], .. Bytes(random, 777), .. old[..400_000]];
        List<ChunkMatch> matches = RollingChunks.Match(old, made);
        int end = 0;
        foreach (ChunkMatch match in matches)
        {
            Assert.True(match.To >= end, "matches overlap");
            Assert.Equal(old.AsSpan((int)match.From, match.Length), made.AsSpan(match.To, match.Length));
            end = match.To + match.Length;
        }
        Assert.InRange(matches.Sum(match => match.Length), made.Length * 85 / 100, made.Length);
        Assert.Empty(RollingChunks.Match(old, Bytes(random, 300_000)));
        Assert.Empty(RollingChunks.Match([], old));
        Assert.Empty(RollingChunks.Match(old, []));
    }

    private static byte[] Changed(Random random, byte[] old)
    {
        List<byte> made = [.. old];
        for (int i = random.Next(8); i >= 0; i--)
        {
            int at = random.Next(made.Count + 1);
            if (random.Next(2) == 0)
                made.InsertRange(at, Bytes(random, random.Next(500)));
            else
                made.RemoveRange(at, Math.Min(made.Count - at, random.Next(500)));
        }
        for (int i = 0; i < made.Count; i += 1 + random.Next(300))
            made[i]++;
        return [.. made];
    }

    private static byte[] Patched(Repo repo, byte[] patch, byte[] old, int size)
    {
        Checksum checksum;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            checksum = transaction.WriteFile(FileHeader.Regular(0, 0, 0x1A4, XattrSet.Empty), old.Length, new MemoryStream(old));
            transaction.Commit();
        }
        using DeltaSource source = DeltaSource.Open(repo, checksum, repo.CreateRoom);
        BinaryPatch reader = new(new MemoryStream(patch), source, size);
        using MemoryStream made = new();
        byte[] buffer = new byte[1000];
        for (int read; (read = reader.Read(buffer)) > 0;)
            made.Write(buffer, 0, read);
        return made.ToArray();
    }
}
