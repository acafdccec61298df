using System.Text;
using OciOstree.Formats.Tar;

namespace OciOstree.Formats.Tests;

public sealed class CpioReaderTests
{
    [Fact]
    public void EntriesHaveTheirMetadataAndContent()
    {
        byte[] archive = [.. Entry(".", 0x41ed, "", inode: 1), .. Entry("./f", 0x81a4, "hello", inode: 2, uid: 7), .. Entry("./l", 0xa1ff, "f", inode: 3), .. Trailer];
        var reader = new ArchiveReader(new MemoryStream(archive));
        Assert.Equal(TarEntryType.Directory, reader.Next()!.Type);
        TarEntry file = reader.Next()!;
        Assert.Equal(("./f", TarEntryType.File, 0x1a4u, 7L, 5L), (file.ToString(), file.Type, file.Mode, file.Uid, file.Size));
        Assert.Equal("hello", new StreamReader(reader.Content).ReadToEnd());
        TarEntry link = reader.Next()!;
        Assert.Equal((TarEntryType.SymbolicLink, "f"), (link.Type, Encoding.UTF8.GetString(link.LinkName)));
        Assert.Null(reader.Next());
        Assert.Null(reader.Next());
    }

    [Fact]
    public void TheLastOfSeveralNamesHasTheContentAndTheOthersAreLinksToIt()
    {
        byte[] archive =
        [
            .. Entry("a", 0x81a4, "", inode: 2, links: 3), .. Entry("b", 0x81a4, "", inode: 2, links: 3), .. Entry("c", 0x81a4, "xyz", inode: 2, links: 3),
            .. Entry("e1", 0x81a4, "", inode: 3, links: 2), .. Entry("e2", 0x81a4, "", inode: 3, links: 2), .. Trailer,
        ];
        var reader = new CpioReader(new MemoryStream(archive));
        var seen = new List<string>();
        while (reader.Next() is { } entry)
            seen.Add($"{entry} {entry.Type} {entry.Size} {Encoding.UTF8.GetString(entry.LinkName)}");
        Assert.Equal(["c File 3 ", "a HardLink 0 c", "b HardLink 0 c", "e1 File 0 ", "e2 HardLink 0 e1"], seen);
    }

    [Fact]
    public void TruncationAndNonsenseAreTarExceptions()
    {
        byte[] archive = [.. Entry("f", 0x81a4, "hello", inode: 2), .. Trailer];
        for (int length = 6; length < archive.Length; length++)
        {
            byte[] part = archive[..length];
            Assert.Throws<TarException>(() => ReadAll(part));
        }
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] damaged = archive.ToArray();
            for (int j = random.Next(4); j >= 0; j--)
                damaged[6 + random.Next(damaged.Length - 6)] = (byte)random.Next(256);
            try
            {
                ReadAll(damaged);
            }
            catch (TarException)
            {
                // As good an outcome.
            }
        }
    }

    [Fact]
    public void ATarIsReadAsOne()
    {
        var archive = new MemoryStream();
        var writer = new TarWriter(archive);
        writer.Write(new TarEntry { Name = "x"u8.ToArray(), Type = TarEntryType.File, Size = 1 }, "y"u8);
        writer.Finish();
        archive.Position = 0;
        Assert.Equal("x", new ArchiveReader(archive).Next()!.ToString());
    }

    private static void ReadAll(byte[] archive)
    {
        var reader = new CpioReader(new MemoryStream(archive));
        while (reader.Next() is not null)
            reader.Content.CopyTo(Stream.Null);
    }

    private static byte[] Trailer => Entry("TRAILER!!!", 0, "", inode: 0);

    private static byte[] Entry(string name, uint mode, string content, uint inode, uint links = 1, uint uid = 0)
    {
        var bytes = new List<byte>("070701"u8.ToArray());
        foreach (uint field in (uint[])[inode, mode, uid, 0, links, 0, (uint)content.Length, 8, 1, 0, 0, (uint)name.Length + 1, 0])
            bytes.AddRange(Encoding.ASCII.GetBytes(field.ToString("X8")));
        bytes.AddRange(Encoding.ASCII.GetBytes(name));
        bytes.Add(0);
        while (bytes.Count % 4 != 0)
            bytes.Add(0);
        bytes.AddRange(Encoding.ASCII.GetBytes(content));
        while (bytes.Count % 4 != 0)
            bytes.Add(0);
        return bytes.ToArray();
    }
}
