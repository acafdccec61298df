using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Bytes from anywhere give an object or a RepositoryException, and nothing is believed that the format forbids.</summary>
public class HostileObjectTests
{
    private static readonly XattrSet SomeXattrs = XattrSet.From([new Xattr("user.x"u8.ToArray(), [1, 2, 3]), new Xattr("user.y"u8.ToArray(), new byte[300])]);

    public static TheoryData<string, byte[]> Valid => new()
    {
        { "header", FileHeader.Symlink(1, 2, "target", SomeXattrs).Serialize() },
        { "archive", FileHeader.Regular(1, 2, 0x1A4, SomeXattrs).SerializeForArchive(77)[8..] },
        { "dirmeta", new DirMeta(0, 0, 0x41ED, SomeXattrs).Serialize() },
        { "dirtree", DirTree.From([new("a", Checksum.Compute([1])), new("b", Checksum.Compute([2]))], [new("c", Checksum.Compute([3]), Checksum.Compute([4]))]).Serialize() },
        { "commit", new Commit { Metadata = Variant.Dictionary([new("version", Variant.String("1"))]), RootTree = default, RootMeta = default }.Serialize() },
        { "xattrs", SomeXattrs.Serialized.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void Truncation_and_noise_are_errors_of_the_format(string kind, byte[] bytes)
    {
        Parse(kind, bytes);
        for (int length = 0; length < bytes.Length; length++)
            Attempt(kind, bytes[..length]);
        Random random = new(3);
        for (int round = 0; round < 20000; round++)
        {
            byte[] damaged = (byte[])bytes.Clone();
            for (int i = random.Next(1, 4); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            Attempt(kind, damaged);
        }
        for (int round = 0; round < 20000; round++)
        {
            byte[] noise = new byte[random.Next(300)];
            random.NextBytes(noise);
            Attempt(kind, noise);
        }
    }

    /// <summary>What is accepted must be the normal form: serialising it again gives the same bytes, so that two objects never mean the same.</summary>
    private static void Attempt(string kind, byte[] bytes)
    {
        try
        {
            Assert.Equal(bytes, Parse(kind, bytes));
        }
        catch (RepositoryException)
        {
            // The one error that a parser may give.
        }
    }

    private static byte[] Parse(string kind, byte[] bytes) => kind switch
    {
        "header" => FileHeader.Parse(bytes).Serialize(),
        "archive" => FileHeader.ParseArchive(bytes, out long size).SerializeForArchive(size)[8..],
        "dirmeta" => DirMeta.Parse(bytes).Serialize(),
        "dirtree" => DirTree.Parse(bytes).Serialize(),
        "commit" => Commit.Parse(bytes).Serialize(),
        _ => XattrSet.Parse(bytes).Serialized.ToArray(),
    };

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("/")]
    [InlineData("a\0b")]
    public void A_name_that_no_directory_can_hold_is_refused(string name)
    {
        Assert.ThrowsAny<RepositoryException>(() => DirTree.From([new(name, default)], []).Serialize());
        Assert.ThrowsAny<RepositoryException>(() => DirTree.From([], [new(name, default, default)]).Serialize());
    }

    [Fact]
    public void A_name_that_is_not_utf8_is_refused() =>
        Assert.ThrowsAny<RepositoryException>(() => DirTree.From([new(FileName.FromBytes([0x80]), default)], []).Serialize());

    [Fact]
    public void Names_in_a_dirtree_are_checked_when_it_is_read()
    {
        foreach (string name in (string[])["", ".", "..", "a/b"])
        {
            byte[] bytes = Variant.Tuple(
                Variant.Array("(say)", [Variant.Tuple(Variant.String(name), Variant.Bytes(new byte[32]))]), Variant.Array("(sayay)", [])).Data.ToArray();
            Assert.ThrowsAny<RepositoryException>(() => DirTree.Parse(bytes));
        }
    }

    [Fact]
    public void A_name_twice_is_refused_also_as_file_and_directory()
    {
        Assert.ThrowsAny<RepositoryException>(() => DirTree.From([new("a", default), new("a", default)], []));
        Assert.ThrowsAny<RepositoryException>(() => DirTree.From([new("a", default)], [new("a", default, default)]));
    }

    [Theory]
    [InlineData(0x41EDu)]
    [InlineData(0x21A4u)]
    [InlineData(0x1A4u)]
    [InlineData(0x100081A4u)]
    public void A_content_object_is_a_file_or_a_link(uint mode) =>
        Assert.ThrowsAny<RepositoryException>(() => FileHeader.Parse(new FileHeader(0, 0, mode, "", XattrSet.Empty).Serialize()));

    [Fact]
    public void Xattrs_cannot_repeat_a_name_or_lack_one()
    {
        Assert.ThrowsAny<RepositoryException>(() => XattrSet.From([new Xattr([97], []), new Xattr([97], [1])]));
        Assert.ThrowsAny<RepositoryException>(() => XattrSet.From([new Xattr([], [])]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85g")]
    public void A_checksum_is_64_lower_case_digits(string text)
    {
        Assert.False(Checksum.TryParse(text, out _));
        Assert.ThrowsAny<RepositoryException>(() => Checksum.Parse(text));
    }

    [Fact]
    public void Checksums_print_compare_and_order_as_their_texts_do()
    {
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Checksum.Compute([]).ToString());
        Checksum[] some = [.. Enumerable.Range(0, 100).Select(i => Checksum.Compute([(byte)i]))];
        Assert.Equal(some.Select(c => c.ToString()).Order(StringComparer.Ordinal), some.Order().Select(c => c.ToString()));
        Assert.All(some, c => Assert.Equal(c, Checksum.Parse(c.ToString())));
        Assert.All(some, c => Assert.Equal(c, Checksum.FromBytes(c.ToArray())));
    }
}
