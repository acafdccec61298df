using System.Text;
using OciOstree.Formats.Compression;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests;

/// <summary>Deltas that were damaged or made to do harm: always an error of ours, never a change of the repository.</summary>
public sealed class HostileDeltaTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("hostile");
    private readonly Repo repo;
    private readonly Repo source;
    private readonly Checksum commit, tree, meta, file;
    private readonly byte[] commitBytes, treeBytes, metaBytes;

    private static readonly byte[] Content = "content"u8.ToArray();

    public HostileDeltaTests()
    {
        repo = TransactionTests.New(scratch, RepoMode.BareUser);
        source = TransactionTests.New(scratch, RepoMode.BareUser, "source");
        using RepoTransaction transaction = source.BeginTransaction();
        file = transaction.WriteFile(FileHeader.Regular(0, 0, 0x1A4, XattrSet.Empty), Content.Length, new MemoryStream(Content));
        MutableTree root = new();
        root.SetFile("file", file);
        root.Metadata = meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty));
        tree = root.Write(transaction);
        commit = transaction.WriteCommit(new Commit { RootTree = tree, RootMeta = meta });
        transaction.Commit();
        commitBytes = source.ReadMetadata(new ObjectName(commit, ObjectType.Commit)).ToArray();
        treeBytes = source.ReadMetadata(new ObjectName(tree, ObjectType.DirTree)).ToArray();
        metaBytes = source.ReadMetadata(new ObjectName(meta, ObjectType.DirMeta)).ToArray();
    }

    public void Dispose()
    {
        repo.Dispose();
        source.Dispose();
        scratch.Dispose();
    }

    private void AssertRefused(byte[] delta, string? reason = null)
    {
        File.WriteAllBytes(scratch["delta"], delta);
        RepositoryException e = Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, scratch["delta"]));
        if (reason is not null)
            Assert.Contains(reason, Chain(e));
        Assert.DoesNotContain(repo.ListObjects(), name => name.Type == ObjectType.Commit);
    }

    private static string Chain(Exception e) => e.InnerException is null ? e.Message : $"{e.Message}: {Chain(e.InnerException)}";

    /// <summary>The operations of a sound delta; its payload is the tree, the meta and the content.</summary>
    private string Sound => $"S {treeBytes.Length} 0 S {metaBytes.Length} {treeBytes.Length} o 0 0 7 w 7 {treeBytes.Length + metaBytes.Length} c";

    private static byte[] Operations(string text)
    {
        List<byte> bytes = [];
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!ulong.TryParse(word, out ulong number))
            {
                bytes.AddRange(Encoding.Latin1.GetBytes(word));
                continue;
            }
            for (; number >= 0x80; number >>= 7)
                bytes.Add((byte)(number | 0x80));
            bytes.Add((byte)number);
        }
        return [.. bytes];
    }

    private byte[] Payload => [.. treeBytes, .. metaBytes, .. Content, .. file.ToArray()];

    private byte[] Part(byte[] operations, byte[]? payload = null, bool xz = false)
    {
        Variant part = Variant.Tuple(
            Variant.Array("(uuu)", [Variant.Tuple(Variant.UInt32(0), Variant.UInt32(0), Variant.UInt32(0xA4810000))]),
            Variant.Array("a(ayay)", [Variant.Array("(ayay)", [])]),
            Variant.Bytes(payload ?? Payload), Variant.Bytes(operations));
        if (!xz)
            return [0, .. part.Data.Span];
        using MemoryStream packed = new();
        using (XzCompressor compressor = new(packed))
            compressor.Write(part.Data.Span);
        return [(byte)'x', .. packed.ToArray()];
    }

    private byte[] Delta(byte[] part, ulong usize = 1000, uint version = 0, ObjectName[]? objects = null)
    {
        DeltaName name = new(null, commit);
        return Variant.Tuple(
            Variant.Dictionary([KeyValuePair.Create(DeltaSuperblock.EndiannessKey, Variant.Byte((byte)'l')), KeyValuePair.Create(name.Part(0), Variant.FromBytes("(yay)", part))]),
            Variant.UInt64(0), Variant.Bytes([]), Variant.Bytes(commit.ToArray()), Variant.FromBytes(Commit.VariantType, commitBytes), Variant.Bytes([]),
            Variant.Array(DeltaSuperblock.PartType, [Variant.Tuple(Variant.UInt32(version), Variant.Bytes(new byte[32]), Variant.UInt64((ulong)part.Length), Variant.UInt64(usize), Variant.Bytes(DeltaSuperblock.ListObjects(objects ?? Objects)))]),
            Variant.Array(DeltaSuperblock.FallbackType, [])).Data.ToArray();
    }

    private ObjectName[] Objects => [new(tree, ObjectType.DirTree), new(meta, ObjectType.DirMeta), new(file, ObjectType.File)];

    [Fact]
    public void The_sound_one_is_taken()
    {
        File.WriteAllBytes(scratch["delta"], Delta(Part(Operations(Sound), xz: true)));
        OfflineDelta.Apply(repo, scratch["delta"]);
        Assert.Equal(source.ListObjects().ToHashSet(), repo.ListObjects().ToHashSet());
    }

    [Theory]
    [InlineData("", "make 0 of 3 objects")]
    [InlineData("S", "Unexpected EOF reading varint")]
    [InlineData("Z", "Unknown opcode 90 at offset 0")]
    [InlineData("S 99999 0", "Invalid offset/length")]
    [InlineData("S 1 99999", "Invalid offset/length")]
    [InlineData("S 18446744073709551615 1", "out of range")]
    [InlineData("S 9223372036854775807 9223372036854775807", "Invalid offset/length")]
    [InlineData("o 0 0 1", "opened as content")]
    [InlineData("w 1 0", "no object is open")]
    [InlineData("c", "closed while none is open")]
    [InlineData("B 0 0", "without an object to apply it to")]
    [InlineData("r 99999", "Invalid offset/length")]
    [InlineData("{sound} S 1 0", "make more than 3 objects")]
    [InlineData("{meta} o 1 0 7", "Invalid mode offset 1")]
    [InlineData("{meta} o 0 5 7", "Invalid xattr offset 5")]
    [InlineData("{meta} o 0 0 7", "end before object")]
    [InlineData("{meta} o 0 0 7 c", "closed after 0 of 7 bytes")]
    [InlineData("{meta} o 0 0 7 S 1 0", "before")]
    [InlineData("{meta} o 0 0 7 w 8 0 c", "made longer than its 7 bytes")]
    [InlineData("{meta} o 0 0 9223372036854775807 w 7 0 w 9223372036854775807 0 c", "Invalid offset/length")]
    [InlineData("{meta} o 0 0 7 w 7 0 c", "checksum expected")]
    [InlineData("{meta} r {self} o 0 0 7 w 7 0 c", "Couldn't find file object")]
    [InlineData("{meta} r {self} o 0 0 7 B 0 9 c", "Couldn't find file object")]
    [InlineData("{meta} S 0 0 99999 0", "Invalid offset/length")]
    public void Operations_are_checked(string operations, string reason)
    {
        string meta = Sound[..Sound.IndexOf('o')];
        AssertRefused(Delta(Part(Operations(operations.Replace("{sound}", Sound).Replace("{meta}", meta).Replace("{self}", $"{treeBytes.Length + metaBytes.Length + Content.Length}")))), reason);
        // Checked as a whole: nothing was made of the operations before the wrong one.
        if (!reason.Contains("checksum", StringComparison.Ordinal) && !reason.Contains("find", StringComparison.Ordinal))
            Assert.Empty(repo.ListObjects());
    }

    [Fact]
    public void What_is_cut_off_anywhere_is_refused()
    {
        byte[] whole = Delta(Part(Operations(Sound), xz: true));
        for (int length = 0; length < whole.Length; length++)
            AssertRefused(whole[..length]);
    }

    [Fact]
    public void A_changed_byte_anywhere_is_no_surprise()
    {
        byte[] whole = Delta(Part(Operations(Sound)));
        Random random = new(1);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(scratch["delta"], damaged);
            using Repo fresh = TransactionTests.New(scratch, RepoMode.BareUser, $"fresh-{at}");
            try
            {
                OfflineDelta.Apply(fresh, scratch["delta"]);
                Assert.Equal(source.ListObjects().ToHashSet(), fresh.ListObjects().ToHashSet());
            }
            catch (RepositoryException)
            {
                Assert.Empty(fresh.ListObjects());
            }
            Directory.Delete(scratch[$"fresh-{at}"], recursive: true);
        }
    }

    [Fact]
    public void A_part_that_expands_without_end_is_cut_off()
    {
        AssertRefused(Delta(Part(Operations(Sound), new byte[60 << 20], xz: true)), "is larger than the");
    }

    [Fact]
    public void Numbers_that_nobody_knows_are_refused()
    {
        AssertRefused(Delta(Part(Operations(Sound)), version: 1), "too new version 1");
        AssertRefused(Delta([7, 1, 2, 3]), "Invalid compression type '7'");
        AssertRefused(Delta([(byte)'x', .. new byte[32]]), "not in xz format");
        AssertRefused(Delta([0]), "not in normal form");
        AssertRefused(Delta(Part(Operations(Sound)), objects: [new(tree, (ObjectType)9)]), "Invalid object type '9'");
        AssertRefused(Delta(Part(Operations(Sound)), objects: [new(tree, ObjectType.CommitMeta)]), "Invalid object type");
        // Lengths that lie have nothing to be believed by.
        AssertRefused(Delta(Part(Operations(Sound[..Sound.IndexOf('o')] + "o 0 0 9223372036854775807 c"))), "closed after 0 of");
    }

    [Fact]
    public void A_part_in_a_file_is_not_even_unpacked_if_it_is_another()
    {
        byte[] part = Part(Operations(Sound));
        DeltaName name = new(null, commit);
        Directory.CreateDirectory(scratch["directory"]);
        File.WriteAllBytes(scratch["directory/0"], part);
        byte[] Superblock(byte[] digest) => Variant.Tuple(
            Variant.Dictionary([KeyValuePair.Create(DeltaSuperblock.EndiannessKey, Variant.Byte((byte)'l'))]),
            Variant.UInt64(0), Variant.Bytes([]), Variant.Bytes(commit.ToArray()), Variant.FromBytes(Commit.VariantType, commitBytes), Variant.Bytes([]),
            Variant.Array(DeltaSuperblock.PartType, [Variant.Tuple(Variant.UInt32(0), Variant.Bytes(digest), Variant.UInt64((ulong)part.Length), Variant.UInt64(1000), Variant.Bytes(DeltaSuperblock.ListObjects(Objects)))]),
            Variant.Array(DeltaSuperblock.FallbackType, [])).Data.ToArray();
        File.WriteAllBytes(scratch["directory/superblock"], Superblock(new byte[32]));
        Assert.Contains("Checksum mismatch in static delta part", Chain(Assert.ThrowsAny<RepositoryException>(() => OfflineDelta.Apply(repo, scratch["directory"]))));
        Assert.Empty(repo.ListObjects());
        File.WriteAllBytes(scratch["directory/superblock"], Superblock(Checksum.Compute(part).ToArray()));
        OfflineDelta.Apply(repo, scratch["directory"]);
        Assert.NotEmpty(repo.ListObjects());
    }
}
