using System.Text;
using OciOstree.Formats.BootLoaderSpec;
using OciOstree.Formats.Compression;
using OciOstree.Formats.GVariant;
using OciOstree.Formats.Json;
using OciOstree.Formats.Keyfile;
using OciOstree.Formats.Tar;
using OciOstree.Formats.Toml;

namespace OciOstree.Formats.Tests;

/// <summary>Damaged input gives a value or the format's own exception, in memory that the input accounts for.</summary>
public class MutationTests
{
    [Fact]
    public void BootEntries() => Mutations.Feed<BootEntryException>("title Debian 12\nversion 1\noptions root=UUID=1 ostree=/ostree/boot.1/os/a/0 rw\nlinux /ostree/os-a/vmlinuz\ninitrd /ostree/os-a/initramfs.img\n"u8.ToArray(), bytes => BootEntry.Parse(bytes).Serialize());

    [Fact]
    public void Keyfiles() => Mutations.Feed<KeyfileException>("# a comment\n[core]\nrepo_version=1\nmode=bare\n\n[remote \"o\"]\nurl=https://example.org/\\sx\nbranches=a;b;c;\ngpg-verify=true\n"u8.ToArray(), bytes =>
    {
        KeyFile file = KeyFile.Parse(bytes);
        foreach (string group in file.Groups)
        {
            foreach (string key in file.Keys(group))
            {
                file.GetString(group, key);
                file.GetStringList(group, key);
            }
        }
    });

    [Fact]
    public void Json() => Mutations.Feed<CanonicalJsonException>("""{"b":[1,-2,{"c":null}],"a":"é\u00e9\ud83d\ude00\"\\","t":true}"""u8.ToArray(), bytes => CanonicalJson.Serialize((ReadOnlyMemory<byte>)bytes));

    [Fact]
    public void Toml() => Mutations.Feed<TomlException>("""
        unqualified-search-registries = ["a", 'b']
        [[registry]]
        prefix = "quay.io/x"   # a comment
        insecure = true
        a.b = { c = 1, d = 0x1F, e = 1.5e3 }
        [[registry.mirror]]
        location = '''
        m.lan'''
        """u8.ToArray(), bytes => TomlTable.Parse(Encoding.UTF8.GetString(bytes)));

    [Fact]
    public void VariantTexts() => Mutations.Feed<VariantException>("{'a': <[1, 2]>, 'b': <(true, @as [], b'x\\001', uint64 5, @ms 'y', -1.5e3)>}"u8.ToArray(), bytes => Variant.Parse(Encoding.UTF8.GetString(bytes)).Print());

    [Fact]
    public void Variants()
    {
        Variant value = Variant.Parse("({'a': <'b'>, 'c': <(uint32 1, [byte 1, 2])>}, [('x', [byte 1])], @mt 5, 'text')", "(a{sv}a(say)mts)");
        Mutations.Feed<VariantException>(value.Data.ToArray(), bytes =>
        {
            // Every byte sequence means something; asking for another type is what can fail.
            Variant read = Variant.FromBytes("(a{sv}a(say)mts)", bytes);
            read.Print();
            _ = read.IsNormalForm() ? 0 : throw new VariantException("not in normal form");
        });
    }

    [Theory]
    [InlineData(CompressionKind.Gzip)]
    [InlineData(CompressionKind.Zstd)]
    [InlineData(CompressionKind.Xz)]
    public void Compressed(CompressionKind kind)
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 300).Select(i => $"line {i * 7919 % 101}\n")));
        using MemoryStream output = new();
        using (Stream compressor = Compressor.Open(output, kind))
        {
            compressor.Write(content);
        }

        Mutations.Feed<CompressionException>(output.ToArray(), bytes =>
        {
            using Stream stream = Decompressor.Open(new MemoryStream(bytes), kind);
            Drain(stream);
        }, rounds: 1000);
    }

    [Fact]
    public void Archives()
    {
        using MemoryStream output = new();
        TarWriter writer = new(output);
        writer.Write(new TarEntry { Name = Encoding.UTF8.GetBytes("usr/" + new string('n', 150)), Type = TarEntryType.File, Mode = 0x1A4, Size = 5, Xattrs = [new TarXattr("user.a"u8.ToArray(), [0, 1, 10])] }, "12345"u8);
        writer.Write(new TarEntry { Name = "link"u8.ToArray(), Type = TarEntryType.SymbolicLink, LinkName = Encoding.UTF8.GetBytes(new string('l', 130)) });
        writer.Finish();
        Mutations.Feed<TarException>(output.ToArray(), bytes =>
        {
            ArchiveReader reader = new(new MemoryStream(bytes));
            while (reader.Next() is not null)
            {
                Drain(reader.Content);
            }
        });
    }

    // A bomb's size is the caller's to limit.
    private static void Drain(Stream stream)
    {
        byte[] buffer = new byte[4096];
        for (long total = 0; total < 1 << 20;)
        {
            int count = stream.Read(buffer);
            if (count == 0)
            {
                return;
            }

            total += count;
        }
    }
}
