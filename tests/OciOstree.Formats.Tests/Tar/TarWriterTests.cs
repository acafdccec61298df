using System.Diagnostics;
using OciOstree.Formats.Tar;
using static OciOstree.Formats.Tests.Tar.TarVectors;

namespace OciOstree.Formats.Tests.Tar;

public class TarWriterTests
{
    private static List<(TarEntry Entry, byte[] Content)> Sample() =>
    [
        (new TarEntry { Name = Bytes("dir"), Type = TarEntryType.Directory, Mode = 0x3ff, Uid = 1000, Gid = 33 }, []),
        (new TarEntry { Name = Bytes("dir/file"), Mode = 0x1a4, Size = 5, ModifiedSeconds = 12345 }, Bytes("hello")),
        (new TarEntry { Name = Bytes("dir/" + new string('n', 100)), Mode = 0x1a4, Size = 512 }, new byte[512]),
        (new TarEntry { Name = Bytes("dir/hard"), Type = TarEntryType.HardLink, LinkName = Bytes("dir/" + new string('n', 100)), Mode = 0x1a4 }, []),
        (new TarEntry { Name = Bytes("sym\xff"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("a//./b/\xff"), Mode = 0x1ff }, []),
        (new TarEntry { Name = Bytes("null"), Type = TarEntryType.CharacterDevice, DeviceMajor = 1, DeviceMinor = 3, Mode = 0x1b6 }, []),
        (new TarEntry { Name = Bytes("fifo"), Type = TarEntryType.Fifo, Mode = 0x1b6, Uid = 3_000_000, Gid = uint.MaxValue, ModifiedSeconds = -7 }, []),
        (new TarEntry
        {
            Name = Bytes("x"), Mode = 0x1a4, Size = 1, UserName = "root", GroupName = "wheel",
            Xattrs = [new TarXattr(Bytes("user.b"), Bytes("\0\xff\n=")), new TarXattr(Bytes("user.long"), new byte[2000])],
        }, Bytes("x")),
    ];

    private static byte[] WriteSample() => Write(w =>
    {
        foreach ((TarEntry entry, byte[] content) in Sample())
        {
            if (entry.Type == TarEntryType.File && content.Length > 1)
            {
                w.Write(entry, new MemoryStream(content));
            }
            else if (content.Length > 0)
            {
                w.Write(entry, content);
            }
            else
            {
                w.Write(entry);
            }
        }
    });

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        byte[] archive = WriteSample();
        Assert.Equal(0, archive.Length % 512);
        foreach (((TarEntry expected, byte[] content), (TarEntry entry, byte[] actual)) in Sample().Zip(ReadAll(archive)))
        {
            Assert.Equal(Latin1(expected.Name), Latin1(entry.Name));
            Assert.Equal(Latin1(expected.LinkName), Latin1(entry.LinkName));
            Assert.Equal((expected.Type, expected.Mode, expected.Uid, expected.Gid, expected.Size), (entry.Type, entry.Mode, entry.Uid, entry.Gid, entry.Size));
            Assert.Equal((expected.ModifiedSeconds, expected.DeviceMajor, expected.DeviceMinor), (entry.ModifiedSeconds, entry.DeviceMajor, entry.DeviceMinor));
            Assert.Equal((expected.UserName, expected.GroupName), (entry.UserName, entry.GroupName));
            Assert.Equal(expected.Xattrs.Select(x => (Latin1(x.Name), Latin1(x.Value))), entry.Xattrs.Select(x => (Latin1(x.Name), Latin1(x.Value))));
            Assert.Equal(content, actual);
        }

        Assert.Equal(archive, WriteSample());
    }

    [Fact]
    public void GnuTarListsWhatWeWrite()
    {
        using var tar = Process.Start(new ProcessStartInfo("tar", "-tv --numeric-owner --utc --quoting-style=escape -f -")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        })!;
        tar.StandardInput.BaseStream.Write(WriteSample());
        tar.StandardInput.Close();
        string[] lines = tar.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string errors = tar.StandardError.ReadToEnd();
        tar.WaitForExit();
        Assert.Equal((0, ""), (tar.ExitCode, errors));
        Assert.Equal(8, lines.Length);
        Assert.StartsWith("drwxrwxrwt 1000/33", lines[0]);
        Assert.EndsWith("1970-01-01 03:25 dir/file", lines[1]);
        Assert.EndsWith("link to dir/" + new string('n', 100), lines[3]);
        Assert.EndsWith(@"sym\377 -> a//./b/\377", lines[4]);
        Assert.Contains("1,3", lines[5]);
        Assert.Contains("3000000/4294967295", lines[6]);
        Assert.Contains("1969-12-31 23:59", lines[6]);
    }

    [Fact]
    public void HeadersAreThoseOfThePeer()
    {
        // Facts read from an image that ostree-ext 0.15.3 wrote.
        byte[] archive = Write(w => w.Write(new TarEntry { Name = Bytes("etc/"), Type = TarEntryType.Directory, Mode = 0x1ed }));
        Assert.Equal("etc/\0", Latin1(archive[..5]));
        Assert.Equal("0000755\00000000\00000000\000000000000\000000000000\00006460\05", Latin1(archive[100..157]));
        Assert.Equal("ustar  \0", Latin1(archive[257..265]));
        Assert.All(archive[265..512], b => Assert.Equal(0, b));
        Assert.Equal(512 * 3, archive.Length);

        string name = "sysroot/ostree/repo/objects/75/74e80bc02b92057e6caff5f63029fe9c24d37ce89b54f3d22529cd0af0265c.file-xattrs-link";
        string target = "sysroot/ostree/repo/objects/e3/b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.file-xattrs";
        archive = Write(w => w.Write(new TarEntry { Name = Bytes(name), Type = TarEntryType.HardLink, LinkName = Bytes(target), Mode = 0x1a4 }));
        Assert.Equal("././@LongLink\0", Latin1(archive[..14]));
        Assert.Equal("0000644\00000000\00000000\000000000157\000000000000\00007776\0L", Latin1(archive[100..157]));
        Assert.Equal(name + "\0", Latin1(archive[512..(512 + name.Length + 1)]));
        Assert.Equal("0007770\0K", Latin1(archive[(1024 + 148)..(1024 + 157)]));
        Assert.Equal("0033325\01sysroot/ostree/repo/objects/e3/\0", Latin1(archive[(2048 + 148)..(2048 + 189)]));
    }

    [Fact]
    public void AnEntryWrittenOverKeepsTheTailOfTheName()
    {
        string name = "sysroot/ostree/repo/objects/0e/ace6a252cf00687eb4b6d8fda511805295cb5859a7ba5b868b32f3cd359f2a.file";
        byte[] archive = Write(w =>
        {
            w.Write(new TarEntry { Name = Bytes(name), Mode = 0x1ed, Size = 1 }, "x"u8);
            foreach (string path in new[] { "usr/bin/app", "usr/bin/app-hard" })
            {
                w.WriteOver(new TarEntry { Name = Bytes(path), Type = TarEntryType.HardLink, Mode = 0x1ed, LinkName = Bytes(name) });
            }
        });
        Assert.Equal("usr/bin/app\0ee/repo/objects", Latin1(archive[1024..(1024 + 27)]));
        Assert.Equal("0044273\0", Latin1(archive[(1024 + 148)..(1024 + 156)]));
        Assert.Equal("usr/bin/app-hard\0po/objects", Latin1(archive[1536..(1536 + 27)]));
        Assert.Equal("0044267\0", Latin1(archive[(1536 + 148)..(1536 + 156)]));
        Assert.Equal(["usr/bin/app", "usr/bin/app-hard"], ReadAll(archive).Skip(1).Select(e => Latin1(e.Entry.Name)));
    }

    [Fact]
    public void ALongNameIsCutBetweenCharacters()
    {
        byte[] archive = Write(w => w.Write(new TarEntry { Name = [.. Bytes(new string('a', 99)), .. "üü"u8], Mode = 0x1ed }));
        Assert.Equal(new string('a', 99) + "\0", Latin1(archive[1024..1124]));
    }

    [Fact]
    public void ContentMustHaveItsSize()
    {
        var writer = new TarWriter(new MemoryStream());
        var entry = new TarEntry { Name = Bytes("f"), Size = 4 };
        Assert.Throws<TarException>(() => writer.Write(entry, "abc"u8));
        Assert.Throws<TarException>(() => writer.Write(entry, "abcde"u8));
        Assert.Throws<TarException>(() => writer.Write(entry));
        Assert.Throws<TarException>(() => writer.Write(entry, new MemoryStream([1, 2, 3])));
        Assert.Throws<TarException>(() => writer.Write(entry, new MemoryStream([1, 2, 3, 4, 5])));
        Assert.Throws<TarException>(() => writer.Write(new TarEntry { Name = [] }));
        Assert.Throws<TarException>(() => writer.Write(new TarEntry { Name = Bytes("a\0b") }));
        Assert.Throws<TarException>(() => writer.Write(new TarEntry { Name = Bytes("a"), Type = TarEntryType.SymbolicLink, LinkName = Bytes("a\0b") }));
        Assert.Throws<TarException>(() => writer.Write(new TarEntry { Name = Bytes("a"), Type = TarEntryType.Directory, Size = 1 }, "x"u8));
    }
}
