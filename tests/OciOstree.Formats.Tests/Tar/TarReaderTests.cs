using OciOstree.Formats.Tar;
using static OciOstree.Formats.Tests.Tar.TarVectors;

namespace OciOstree.Formats.Tests.Tar;

public class TarReaderTests
{
    private static readonly string Deep = "t/" + new string('d', 60) + "/" + new string('e', 60);

    [Theory]
    [InlineData("gnu")]
    [InlineData("pax")]
    [InlineData("bsdpax")]
    public void RealArchivesGiveEveryKindOfEntry(string name)
    {
        Dictionary<string, (TarEntry Entry, byte[] Content)> all = ReadAll(Load(name)).ToDictionary(e => Latin1(e.Entry.Name));
        Assert.Equal("hello\n", Latin1(ContentOf(all, Deep + "/file")));
        Assert.Equal(new byte[] { (byte)'z' }, all["t/big"].Content.Distinct());
        Assert.Equal(1500, all["t/big"].Entry.Size);
        Assert.Equal(0, all["t/empty"].Entry.Size);
        Assert.Equal("name-\xff-bytes", Latin1(all["t/bad\xffname"].Content));
        Assert.Equal(new string('x', 150), Latin1(all["t/longsym"].Entry.LinkName));
        Assert.Equal(TarEntryType.SymbolicLink, all["t/longsym"].Entry.Type);
        Assert.Equal(TarEntryType.Directory, all["t/dir"].Entry.Type);
        Assert.Equal((uint)Convert.ToInt32("1777", 8), all["t/dir"].Entry.Mode);
        Assert.Equal((1000L, 33L), (all["t/dir"].Entry.Uid, all["t/dir"].Entry.Gid));
        Assert.Equal(TarEntryType.Fifo, all["t/fifo"].Entry.Type);
        Assert.Equal((TarEntryType.CharacterDevice, 1u, 3u), Device(all["t/null"].Entry));
        Assert.Equal((TarEntryType.BlockDevice, 259u, 7u), Device(all["t/blk"].Entry));
        Assert.Equal("root", all["t/short"].Entry.UserName ?? all["t/hard"].Entry.UserName);

        // Which of two names is the link is the writer's choice.
        (string file, string link) = all["t/short"].Entry.Type == TarEntryType.File ? ("t/short", "t/hard") : ("t/hard", "t/short");
        Assert.Equal("short\n", Latin1(all[file].Content));
        Assert.Equal((TarEntryType.HardLink, file), (all[link].Entry.Type, Latin1(all[link].Entry.LinkName)));
        Assert.Equal((uint)Convert.ToInt32("4755", 8), all[file].Entry.Mode);
        Assert.Equal(981173106, all["t/big"].Entry.ModifiedSeconds);
        Assert.Equal(name == "gnu" ? 0u : 789_000_000u, all["t/big"].Entry.ModifiedNanoseconds);

        if (name != "gnu")
        {
            TarXattr note = Assert.Single(all[file].Entry.Xattrs, x => Latin1(x.Name) == "user.note");
            Assert.Equal(new byte[] { 0x00, 0xff, 0x0a, 0x3d }, note.Value);
            TarXattr capability = Assert.Single(all["t/big"].Entry.Xattrs, x => Latin1(x.Name) == "security.capability");
            Assert.Equal(20, capability.Value.Length);
        }
    }

    private static (TarEntryType, uint, uint) Device(TarEntry e) => (e.Type, e.DeviceMajor, e.DeviceMinor);

    private static byte[] ContentOf(Dictionary<string, (TarEntry Entry, byte[] Content)> all, string name)
        => all[name].Entry.Type == TarEntryType.HardLink ? all[Latin1(all[name].Entry.LinkName)].Content : all[name].Content;

    [Fact]
    public void OldTarHasDirectoriesByTheirSlash()
    {
        List<(TarEntry Entry, byte[] Content)> all = ReadAll(Load("v7"));
        Assert.Equal(["t/short", "t/hard", "t/sym", "t/dir", "t/empty", "t/big"], all.Select(e => Latin1(e.Entry.Name)));
        Assert.Equal(TarEntryType.Directory, all[3].Entry.Type);
        Assert.Null(all[0].Entry.UserName);
        Assert.Equal(1500, all[5].Content.Length);
    }

    [Fact]
    public void UstarPrefixesMakeLongNames()
    {
        List<(TarEntry Entry, byte[] Content)> all = ReadAll(Load("bsdustar"));
        Assert.Contains(all, e => Latin1(e.Entry.Name) == Deep + "/file" && Latin1(e.Content) == "hello\n");
        Assert.Contains(all, e => e.Entry.Type == TarEntryType.BlockDevice && e.Entry.DeviceMajor == 259);
    }

    [Fact]
    public void PythonsBigNumbersAreRead()
    {
        TarEntry gnu = ReadAll(Load("pygnu"))[0].Entry;
        Assert.Equal((3_000_000L, 1L << 31, -5L), (gnu.Uid, gnu.Gid, gnu.ModifiedSeconds));
        Assert.Equal(new string('x', 120) + "/" + new string('y', 140), Latin1(gnu.Name));

        List<(TarEntry Entry, byte[] Content)> pax = ReadAll(Load("pypax"));
        Assert.Equal((3_000_000L, 1L << 31, 1L, 500_000_000u), (pax[0].Entry.Uid, pax[0].Entry.Gid, pax[0].Entry.ModifiedSeconds, pax[0].Entry.ModifiedNanoseconds));
        Assert.NotEqual("globaluser", pax[0].Entry.UserName); // of a global header
        Assert.Equal("ta/./rget//ü"u8.ToArray(), pax[1].Entry.LinkName);
        Assert.Equal("ünïcode"u8.ToArray(), pax[1].Entry.Name);
    }

    [Theory]
    [InlineData("sparse-gnu")]
    [InlineData("sparse-0.0")]
    [InlineData("sparse-0.1")]
    [InlineData("sparse-1.0")]
    public void SparseFilesAreExpanded(string name)
    {
        byte[] archive = Load(name);
        Assert.True(archive.Length < 300_000, "the vector is not sparse");
        (TarEntry entry, byte[] content) = Assert.Single(ReadAll(archive));
        Assert.Equal("sp", Latin1(entry.Name));
        Assert.Equal(3_000_000, entry.Size);
        Assert.Equal("C9256463C120F63F6A7E3C84B7E139C6875D68751E4E0E3B3573DBCE316AE874",
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content)));
    }

    [Fact]
    public void SkippedContentDoesNotDisturbTheNextEntry()
    {
        foreach (string name in new[] { "gnu", "pax", "sparse-1.0", "sparse-gnu" })
        {
            byte[] archive = Load(name);
            List<string> full = [.. ReadAll(archive).Select(e => Latin1(e.Entry.Name))];
            foreach (Stream source in new Stream[] { new MemoryStream(archive), new DribbleStream(archive, 7) })
            {
                var reader = new TarReader(source);
                var names = new List<string>();
                while (reader.Next() is { } entry)
                {
                    names.Add(Latin1(entry.Name));
                    _ = reader.Content.ReadByte(); // part of it only
                }

                Assert.Equal(full, names);
                Assert.Null(reader.Next());
            }
        }
    }

    [Fact]
    public void LargeContentIsReadAndSkippedThroughSeekableAndOtherStreams()
    {
        byte[] big = new byte[1_000_001];
        new Random(1).NextBytes(big);
        byte[] archive = Write(w =>
        {
            w.Write(new TarEntry { Name = Bytes("a"), Size = big.Length }, big);
            w.Write(new TarEntry { Name = Bytes("b"), Size = 3 }, "xyz"u8);
        });
        foreach (Stream source in new Stream[] { new MemoryStream(archive), new DribbleStream(archive, 60_000) })
        {
            List<(TarEntry Entry, byte[] Content)> all = ReadAll(source);
            Assert.Equal(big, all[0].Content);
            source.Position = 0;
            var reader = new TarReader(source);
            reader.Next();
            Assert.Equal("b", Latin1(reader.Next()!.Name));
            Assert.Equal('x', reader.Content.ReadByte());
        }
    }

    [Fact]
    public void EveryTruncationIsNoticed()
    {
        foreach (string name in new[] { "gnu", "pax", "bsdpax", "v7", "pypax", "sparse-gnu", "sparse-0.0", "sparse-1.0" })
        {
            byte[] archive = Load(name);
            int members = ReadAll(archive).Count;
            int end = archive.Length; // bytes up to the end mark: tar pads its archives with further zeros
            while (archive.AsSpan(end - 512, 512).IndexOfAnyExcept((byte)0) < 0)
            {
                end -= 512;
            }

            for (int length = 0; length <= end; length += length % 512 == 0 ? 511 : 1)
            {
                Assert.Throws<TarException>(() => ReadAll(archive[..length]));
            }

            Assert.Equal(members, ReadAll(archive[..(end + 512)]).Count);
            Assert.Equal(members, ReadAll(archive[..(end + 1024)]).Count);
        }
    }

    [Fact]
    public void AMissingEndMarkIsAcceptedWhereTheCallerSaysSo()
    {
        byte[] archive = Member('0', Bytes("abc"));
        var reader = new TarReader(new MemoryStream(archive), allowMissingEnd: true);
        Assert.NotNull(reader.Next());
        Assert.Null(reader.Next());
        reader = new TarReader(new MemoryStream(archive[..600]), allowMissingEnd: true);
        Assert.NotNull(reader.Next());
        Assert.Throws<TarException>(reader.Next);
        Assert.Throws<TarException>(() => ReadAll(archive));
    }

    [Fact]
    public void NoSingleDamagedByteMakesAnotherException()
    {
        foreach (string name in new[] { "pax", "sparse-gnu", "sparse-1.0", "sparse-0.0", "pygnu" })
        {
            byte[] archive = Load(name);
            var random = new Random(7);
            for (int i = 0; i < 3000; i++)
            {
                byte[] damaged = (byte[])archive.Clone();
                int at = random.Next(Math.Min(damaged.Length, 8192));
                damaged[at] ^= (byte)(1 << random.Next(8));
                FixChecksum(damaged, at);
                try
                {
                    var reader = new TarReader(new MemoryStream(damaged));
                    while (reader.Next() is not null)
                    {
                        byte[] part = new byte[1000];
                        _ = reader.Content.Read(part);
                    }
                }
                catch (TarException)
                {
                }
            }
        }
    }

    // So that the damage gets past the checksum and into the parser.
    private static void FixChecksum(byte[] archive, int at)
    {
        Span<byte> block = archive.AsSpan(at / 512 * 512, 512);
        if (block.Slice(257, 5).SequenceEqual("ustar"u8))
        {
            block.Slice(148, 8).Fill((byte)' ');
            int sum = 0;
            foreach (byte b in block)
            {
                sum += b;
            }

            Bytes(Convert.ToString(sum, 8).PadLeft(6, '0')).CopyTo(block[148..]);
        }
    }

    /// <summary>Gives few bytes at a time and cannot seek, as a network does.</summary>
    private sealed class DribbleStream(byte[] data, int most) : MemoryStream(data)
    {
        public override bool CanSeek => false;
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(most, buffer.Length)]);
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(most, count));
    }
}
