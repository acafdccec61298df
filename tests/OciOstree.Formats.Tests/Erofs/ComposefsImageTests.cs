using System.Security.Cryptography;
using System.Text;
using OciOstree.Formats.Erofs;
using OciOstree.Formats.Verity;

namespace OciOstree.Formats.Tests.Erofs;

/// <summary>Images at the format's edges are those of <c>mkcomposefs --from-file</c> of libcomposefs, whose digests are here. Ordinary trees are compared in the Repository's tests.</summary>
public class ComposefsImageTests
{
    private static readonly ErofsXattr[] None = [];

    [Fact]
    public void Files_of_all_sizes_have_the_chunks_that_mkcomposefs_gives_them()
    {
        ComposefsImage image = new(0x1ED, 0, 0, None);
        long[] sizes =
        [
            0, 1, 4095, 4096, 4097, 65536, 65537, (1L << 32) - 1, 1L << 32, (1L << 32) + 1, (1L << 43) - 1, 1L << 43, (1L << 43) + 1, 3L << 43, 1L << 50, (1L << 53) - 1, 1L << 53,
        ];
        for (int i = 0; i < sizes.Length; i++)
            image.AddFile(image.Root, Encoding.ASCII.GetBytes($"f{i:d2}"), 0x1A4, 0, 0, None, sizes[i], Encoding.ASCII.GetBytes($"aa/{i:d2}.file"), []);
        AssertImage(image, "964afc349d8e9cab225272089eaf4845807afb329dfb83f8e81dc150f78f398e", "2d32bc261b857483427e7e33ef02529a576e7976737567d274fa8378a004a88b");
    }

    [Fact]
    public void Directories_around_a_block_are_laid_out_as_mkcomposefs_does_it()
    {
        ComposefsImage image = new(0x1ED, 0, 0, None);
        int[] sizes = [2020, 2021, 2022, 2048, 4069, 4070, 4096];
        for (int i = 0; i < sizes.Length; i++)
        {
            ErofsNode directory = image.AddDirectory(image.Root, Encoding.ASCII.GetBytes($"d{i}"), 0x1ED, 0, 0, None);
            // Of each entry twelve bytes are not the name.
            for (int n = 0, left = sizes[i]; left > 0; n++)
            {
                int length = Math.Min(200, left - 212 >= 13 || left <= 212 ? Math.Min(200, left - 12) : left - 42);
                image.AddFile(directory, Encoding.ASCII.GetBytes($"{n:d3}".PadRight(length, 'x')), 0x1A4, 0, 0, None, 0, [], []);
                left -= 12 + length;
            }
        }
        AssertImage(image, "1ffbadc6b837679842fc3b3720159576b54c57894064a71df814672521bdd789", "14db07c75e854dba2f5235664d0f40deebf54ddfaeaf24cf737f7ffed66ca6cb");
    }

    [Fact]
    public void The_order_of_adding_and_of_xattrs_makes_no_difference()
    {
        string[] names = ["b", "a", "-", "c", ".x", "..", "usr"];
        ErofsXattr[] xattrs = [X("user.b", "1"), X("trusted.overlay.x", "2"), X("security.selinux", "3"), X("user.a", "")];
        byte[] Image(IEnumerable<string> order, IEnumerable<ErofsXattr> set)
        {
            ComposefsImage image = new(0x1ED, 1, 2, set);
            foreach (string name in order)
                if (name == "..")
                    image.AddSymbolicLink(image.Root, "link"u8, 0x1FF, 0, 0, set, "target"u8);
                else
                    image.AddFile(image.Root, Encoding.ASCII.GetBytes(name), 0x1A4, 0, 0, set, 5, "aa/bb.file"u8, new byte[32]);
            using MemoryStream output = new();
            image.Write(output);
            return output.ToArray();
        }
        Assert.Equal(Image(names, xattrs), Image(names.Reverse(), xattrs.Reverse()));
    }

    [Fact]
    public void The_digest_is_that_of_the_bytes_with_or_without_a_place_for_them()
    {
        ComposefsImage one = new(0x1ED, 0, 0, None), other = new(0x1ED, 0, 0, None);
        using MemoryStream output = new();
        byte[] digest = one.Write(output);
        Assert.Equal(VerityDigest.Compute(output.ToArray()), digest);
        Assert.Equal(digest, other.Write(null));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void What_is_no_name_is_refused(string name)
    {
        ComposefsImage image = new(0x1ED, 0, 0, None);
        Assert.Throws<ErofsException>(() => image.AddFile(image.Root, Encoding.ASCII.GetBytes(name), 0x1A4, 0, 0, None, 0, [], []));
    }

    [Fact]
    public void What_an_image_cannot_hold_is_refused()
    {
        ComposefsImage image = new(0x1ED, 0, 0, None);
        byte[] name = "x"u8.ToArray();
        Refused(() => image.AddFile(image.Root, new byte[256], 0x1A4, 0, 0, None, 0, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, None, -1, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, None, (1L << 53) + 1, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, None, 1, [], new byte[31]));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, [X("user.a", "1"), X("user.a", "2")], 0, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, [X("", "1")], 0, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, [X(new string('u', 256), "1")], 0, [], []));
        Refused(() => image.AddFile(image.Root, name, 0x1A4, 0, 0, [X("user.a", new string('v', 32767 - 12 - 7 - 6 + 1))], 0, [], []));
        Refused(() => image.AddSymbolicLink(image.Root, name, 0x1FF, 0, 0, None, []));
        Refused(() => image.AddSymbolicLink(image.Root, name, 0x1FF, 0, 0, None, new byte[10]));
        Refused(() => image.AddSymbolicLink(image.Root, name, 0x1FF, 0, 0, None, Encoding.ASCII.GetBytes(new string('t', 4096))));
        image.AddFile(image.Root, name, 0x1A4, 0, 0, [X("user.a", new string('v', 32767 - 12 - 7 - 6))], 0, [], []);
        image.AddSymbolicLink(image.Root, name, 0x1FF, 0, 0, None, Encoding.ASCII.GetBytes(new string('t', 4095)));
        Refused(() => image.Write(null));   // twice the same name

        static void Refused(Action add) => Assert.Throws<ErofsException>(add);
    }

    private static ErofsXattr X(string name, string value) => new(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));

    private static void AssertImage(ComposefsImage image, string sha256, string verity)
    {
        using MemoryStream output = new();
        byte[] digest = image.Write(output);
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(output.ToArray())));
        Assert.Equal(verity, Convert.ToHexStringLower(digest));
    }
}
