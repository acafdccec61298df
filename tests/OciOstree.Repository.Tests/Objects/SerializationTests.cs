using System.Buffers.Binary;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>The span code writes what a general GVariant writer would, around every boundary where an offset's width changes.</summary>
public class SerializationTests
{
    public static TheoryData<int> Sizes => [0, 1, 5, 100, 180, 200, 210, 220, 225, 230, 235, 240, 250, 255, 256, 1000, 32000, 65000, 65480, 65500, 65530, 65536, 70000];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Xattrs_are_the_variant_of_their_sorted_names(int size)
    {
        XattrSet set = Set(size);
        Assert.Equal(AsVariant(set).Data.ToArray(), set.Serialized.ToArray());
        Assert.Equal(set, XattrSet.Parse(set.Serialized));
        Assert.Equal(["security.selinux", "trusted.a", "user.b"], set.Items.Select(x => FileName.FromBytes(x.Name)));
        Assert.Equal(size, set.Get("user.b"u8)!.Length);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_file_header_is_the_variant_in_all_its_forms(int size)
    {
        foreach (XattrSet xattrs in (XattrSet[])[XattrSet.Empty, Set(size)])
        {
            foreach (FileHeader header in (FileHeader[])[
                FileHeader.Regular(1000, 0xFFFFFFFE, 0xFED, xattrs),
                FileHeader.Symlink(0, 5, "../" + new string('é', size / 2), xattrs)])
            {
                Variant[] fields = [Big(header.Uid), Big(header.Gid), Big(header.Mode), Variant.UInt32(0), Variant.String(header.SymlinkTarget), AsVariant(xattrs)];
                byte[] plain = Variant.Tuple(fields).Data.ToArray();
                Assert.Equal(plain, header.Serialize());
                Assert.Equal(header, FileHeader.Parse(plain));
                byte[] archived = Variant.Tuple([Variant.UInt64(BinaryPrimitives.ReverseEndianness((ulong)size)), .. fields]).Data.ToArray();
                Assert.Equal(Prefixed(archived), header.SerializeForArchive(size));
                Assert.Equal(header, FileHeader.ParseArchive(archived, out long parsed));
                Assert.Equal(size, parsed);
                Assert.Equal(Prefixed(plain), header.SerializeForChecksum());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_dirmeta_is_the_variant(int size)
    {
        DirMeta meta = new(1, 2, 0x41ED, Set(size));
        byte[] expected = Variant.Tuple(Big(1), Big(2), Big(0x41ED), AsVariant(meta.Xattrs)).Data.ToArray();
        Assert.Equal(expected, meta.Serialize());
        Assert.Equal(meta, DirMeta.Parse(expected));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 1, 200)]
    [InlineData(3, 2, 220)]
    [InlineData(6, 0, 5)]
    [InlineData(7, 1, 5)]
    [InlineData(400, 300, 60)]
    [InlineData(1700, 3, 5)]
    [InlineData(3, 1000, 30)]
    [InlineData(900, 900, 255)]
    public void A_dirtree_is_the_variant(int files, int directories, int nameLength)
    {
        DirTree tree = DirTree.From(
            Enumerable.Range(0, files).Reverse().Select(i => new DirTreeFile(Name("f", i, nameLength), Checksum.Compute([(byte)i]))),
            Enumerable.Range(0, directories).Reverse().Select(i => new DirTreeDirectory(Name("d", i, nameLength), Checksum.Compute([(byte)i, 1]), Checksum.Compute([(byte)i, 2]))));
        byte[] expected = Variant.Tuple(
            Variant.Array("(say)", tree.Files.Select(f => Variant.Tuple(Variant.String(f.Name), Variant.Bytes(f.Checksum.ToArray())))),
            Variant.Array("(sayay)", tree.Directories.Select(d => Variant.Tuple(Variant.String(d.Name), Variant.Bytes(d.Tree.ToArray()), Variant.Bytes(d.Meta.ToArray()))))).Data.ToArray();
        Assert.Equal(expected, tree.Serialize());
        DirTree parsed = DirTree.Parse(expected);
        Assert.Equal(tree.Files, parsed.Files);
        Assert.Equal(tree.Directories, parsed.Directories);
        foreach (DirTreeFile file in tree.Files)
            Assert.True(parsed.TryGetFile(file.Name, out Checksum found) && found == file.Checksum);
        foreach (DirTreeDirectory directory in tree.Directories)
            Assert.True(parsed.TryGetDirectory(directory.Name, out DirTreeDirectory found) && found == directory);
        Assert.False(parsed.TryGetFile("absent", out _));
    }

    [Fact]
    public void Names_are_in_the_order_of_their_bytes_not_of_their_utf16()
    {
        DirTree tree = DirTree.From([new("\uFF5E", default), new("\U0001F600", default), new("z", default), new("Z", default), new("é", default)], []);
        Assert.Equal(["Z", "z", "é", "\uFF5E", "\U0001F600"], tree.Files.Select(f => f.Name));
        Assert.Equal(tree.Files, DirTree.Parse(tree.Serialize()).Files);
    }

    [Fact]
    public void A_commit_keeps_its_metadata_in_order_and_its_time_big_endian()
    {
        Commit commit = new()
        {
            Metadata = Variant.Dictionary([new("z", Variant.String("last")), new("a", Variant.UInt32(7))]),
            Parent = Checksum.Compute([1]),
            Subject = "subject",
            Body = "two\nlines",
            Timestamp = 0x0102030405060708,
            RootTree = Checksum.Compute([2]),
            RootMeta = Checksum.Compute([3]),
        };
        byte[] bytes = commit.Serialize();
        Commit parsed = Commit.Parse(bytes);
        Assert.Equal(bytes, parsed.Serialize());
        Assert.Equal(commit.Timestamp, parsed.Timestamp);
        Assert.Equal(commit.Parent, parsed.Parent);
        Assert.Equal("last", parsed.Metadata.Lookup("z")!.AsString());
        Assert.True(bytes.AsSpan().IndexOf((byte[])[1, 2, 3, 4, 5, 6, 7, 8]) > 0);
        Assert.Null(Commit.Parse((commit with { Parent = null }).Serialize()).Parent);
    }

    private static string Name(string prefix, int i, int length) => (prefix + i.ToString("d5")).PadRight(length, 'x');

    private static XattrSet Set(int size) => XattrSet.From([
        new Xattr("user.b"u8.ToArray(), Bytes(size)), new Xattr("security.selinux"u8.ToArray(), "system_u:object_r:bin_t:s0\0"u8.ToArray()), new Xattr("trusted.a"u8.ToArray(), [0, 255])]);

    private static Variant AsVariant(XattrSet set) => Variant.Array("(ayay)", set.Items.Select(x => Variant.Tuple(Variant.Bytes([.. x.Name, 0]), Variant.Bytes(x.Value))));

    private static Variant Big(uint value) => Variant.UInt32(BinaryPrimitives.ReverseEndianness(value));

    private static byte[] Prefixed(byte[] header)
    {
        byte[] bytes = new byte[8 + header.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, header.Length);
        header.CopyTo(bytes, 8);
        return bytes;
    }

    private static byte[] Bytes(int size)
    {
        byte[] bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }
}
