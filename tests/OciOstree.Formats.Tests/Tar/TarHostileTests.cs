using OciOstree.Formats.Tar;
using static OciOstree.Formats.Tests.Tar.TarVectors;

namespace OciOstree.Formats.Tests.Tar;

public class TarHostileTests
{
    private static string Refused(params byte[][] parts)
        => Assert.Throws<TarException>(() => ReadAll([.. parts.SelectMany(p => p)])).Message;

    private static List<(TarEntry Entry, byte[] Content)> Accepted(params byte[][] parts) => ReadAll([.. parts.SelectMany(p => p)]);

    [Theory]
    [InlineData("77777777777\0")]                                     // 8 GiB that are not there
    [InlineData("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff")]        // 2^63-1
    [InlineData("\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")]  // beyond 64 bits
    [InlineData("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")]  // -1
    [InlineData("0000000000x\0")]
    [InlineData("-0000000001\0")]
    public void LyingSizes(string size)
    {
        Refused(Header('0', size), End);
        Refused(Header('x', size), End);
        Refused(Header('g', size), End);
        Refused(Header('L', size), End);
        Refused(Header('K', size), End);
        Refused(Header('V', size), End);
        Refused(Header('D', size), End);
    }

    [Fact]
    public void WrongChecksums()
    {
        byte[] header = Header('0', "0");
        header[0] ^= 1;
        Assert.Contains("checksum", Refused(header, End));
        Refused([.. Enumerable.Repeat((byte)'a', 512)], End);
        byte[] noChecksum = Header('0', "0");
        noChecksum.AsSpan(148, 8).Clear();
        Refused(noChecksum, End);
    }

    [Fact]
    public void SignedChecksumsOfOldTarsAreAccepted()
    {
        byte[] header = Header('0', "0", (0, "\xe9\xe9"));
        int signed = header.Select((b, i) => i is >= 148 and < 156 ? ' ' : (int)(sbyte)b).Sum();
        Bytes(Convert.ToString(signed, 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        Assert.Equal("\xe9\xe9me", Latin1(Assert.Single(Accepted(header, End)).Entry.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0 a=\n")]
    [InlineData("3 a=\n")]
    [InlineData("-5 a=\n")]
    [InlineData("6 a=\n")]             // longer than there is
    [InlineData("5 a=b")]              // no newline where the length says
    [InlineData("999999999999 a=\n")]
    [InlineData("4294967301 a=\n")]    // 5 + 2^32
    [InlineData("6 =ab\n")]
    [InlineData("5 ab\n")]
    [InlineData("\0\0\0\0\0\0")]
    [InlineData("12 path=a\0b\n")]
    [InlineData("9 size=x\n")]
    [InlineData("10 size=-1\n")]
    [InlineData("28 size=99999999999999999999\n")]
    [InlineData("11 mtime=1e\n")]
    [InlineData("19 SCHILY.xattr.=x\n")]
    [InlineData("21 SCHILY.xattr.a\0=x\n")]
    [InlineData("24 LIBARCHIVE.xattr.a=*\n")]
    [InlineData("22 GNU.sparse.map=1,\n")]
    [InlineData("22 GNU.sparse.major=2\n")]
    [InlineData("25 GNU.sparse.numbytes=1\n")]
    public void BadExtendedHeaders(string records)
    {
        byte[] payload = Bytes(records);
        foreach (char type in "xg")
        {
            if (records.Length > 0)
            {
                Refused(Member(type, payload), Member('0', []), End);
            }
            else
            {
                Assert.Single(Accepted(Member(type, payload), Member('0', []), End)); // nothing said is allowed
            }
        }
    }

    [Fact]
    public void AnArchiveMustNotEndAfterAHeaderThatSpeaksOfTheNextEntry()
    {
        Refused(Pax("5 a=\n"), End);
        Refused(Member('L', Bytes("name\0")), End);
        Refused(Member('K', Bytes("name\0")), End);
        Refused(Member('L', Bytes("\0")), Member('0', []), End);
    }

    [Fact]
    public void HugeExtendedHeadersAreRefusedUnread()
    {
        Assert.Contains("too large", Refused(Header('x', "77777777777\0"), End));
        Assert.Contains("too large", Refused(Header('L', "77777777777\0"), End));
    }

    [Fact]
    public void ALoneZeroBlockIsNoEnd() => Refused(Member('0', []), new byte[512], Member('0', []), End);

    [Theory]
    [InlineData('M')]
    [InlineData('Z')]
    [InlineData('8')]
    [InlineData('\x01')]
    [InlineData('\xff')]
    public void UnknownTypesAreNamed(char type) => Assert.Contains("not supported", Refused(Member(type, []), End));

    [Fact]
    public void LinksAndDevicesHaveNoContentWhateverTheirSizeSays()
    {
        foreach (char type in "123456")
        {
            List<(TarEntry Entry, byte[] Content)> all = Accepted(Header(type, "1000", (157, "target")), Member('0', Bytes("x")), End);
            Assert.Equal(2, all.Count);
            Assert.Equal(0, all[0].Entry.Size);
            Assert.Equal("x", Latin1(all[1].Content));
        }
    }

    [Fact]
    public void LabelsAndDirectoryListingsArePassedOver()
    {
        List<(TarEntry Entry, byte[] Content)> all = Accepted(Member('V', []), Member('D', Bytes("Yfile\0\0")), Member('0', Bytes("x")), End);
        Assert.Equal([TarEntryType.Directory, TarEntryType.File], all.Select(e => e.Entry.Type));
        Assert.Empty(all[0].Content);
    }

    [Fact]
    public void LaterHeadersGoFirst()
    {
        byte[] first = [.. Record("path", "first"), .. Record("uname", "u"), .. Record("mtime", "7")];
        byte[] second = [.. Record("path", "second"), .. Record("uname", "")];
        List<(TarEntry Entry, byte[] Content)> all = Accepted(Member('x', first), Member('x', second), Member('0', [], (265, "hdr")), Member('0', []), End);
        Assert.Equal(("second", "hdr", 7L), (Latin1(all[0].Entry.Name), all[0].Entry.UserName, all[0].Entry.ModifiedSeconds));
        Assert.Equal("name", Latin1(all[1].Entry.Name));
        all = Accepted(Member('x', first), Member('L', Bytes("long\0")), Member('0', []), End);
        Assert.Equal("long", Latin1(all[0].Entry.Name));
    }

    [Fact]
    public void WhatIsSaidOfAllMembersIsNotHeard()
    {
        // As container runtimes and libarchive have it; GNU tar differs.
        byte[] global = [.. Record("uid", "5"), .. Record("path", "from-global"), .. Record("SCHILY.xattr.user.x", "x")];
        List<(TarEntry Entry, byte[] Content)> all = Accepted(Member('g', global), Member('x', Record("gid", "6")), Member('0', Bytes("x")), Member('0', []), End);
        Assert.Equal(2, all.Count);
        Assert.Equal(("name", 0L, 6L), (Latin1(all[0].Entry.Name), all[0].Entry.Uid, all[0].Entry.Gid));
        Assert.Empty(all[0].Entry.Xattrs);
        Assert.Equal("name", Latin1(all[1].Entry.Name));
    }

    [Fact]
    public void XattrValuesAreBytes()
    {
        string value = "\0\xff=\n7 a=b\n\0";
        List<(TarEntry Entry, byte[] Content)> all = Accepted(
            Member('x', [.. Record("SCHILY.xattr.user.a=b", value), .. Record("LIBARCHIVE.xattr.user.%41%zz", "AP8KPQ")]), Member('0', []), End);
        // A keyword ends at its first '=': the rest belongs to the value.
        Assert.Equal(("user.a", "b=" + value), (Latin1(all[0].Entry.Xattrs[0].Name), Latin1(all[0].Entry.Xattrs[0].Value)));
        Assert.Equal(("user.A%zz", "\0\xff\n="), (Latin1(all[0].Entry.Xattrs[1].Name), Latin1(all[0].Entry.Xattrs[1].Value)));
    }

    [Theory]
    [InlineData("1.25", 1, 250_000_000u)]
    [InlineData("-1.25", -2, 750_000_000u)]
    [InlineData("-3", -3, 0u)]
    [InlineData("5.1234567899", 5, 123_456_789u)]
    public void TimesHaveFractions(string text, long seconds, uint nanoseconds)
    {
        TarEntry entry = Accepted(Member('x', Record("mtime", text)), Member('0', []), End)[0].Entry;
        Assert.Equal((seconds, nanoseconds), (entry.ModifiedSeconds, entry.ModifiedNanoseconds));
    }

    [Theory]
    [InlineData("0,5,3,5", 20)]                      // overlap
    [InlineData("10,5,0,5", 20)]                     // out of order
    [InlineData("0,10", 9)]                          // beyond the file
    [InlineData("0,9", 20)]                          // not what is stored
    [InlineData("0,9223372036854775807", 20)]
    [InlineData("9223372036854775807,10", 20)]
    [InlineData("0,-1", 20)]
    public void BadSparseMaps(string map, long size)
        => Refused(Member('x', [.. Record("GNU.sparse.map", map), .. Record("GNU.sparse.size", size.ToString())]), Member('0', Bytes("0123456789")), End);

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("2\n0\n10\n")]
    [InlineData("99999999999999999999\n")]
    [InlineData("999999999999999\n0\n0\n")]
    [InlineData("-1\n")]
    public void BadSparseMapsBeforeTheContent(string map)
        => Refused(Member('x', [.. Record("GNU.sparse.major", "1"), .. Record("GNU.sparse.realsize", "20")]), Member('0', Bytes(map)), End);

    [Fact]
    public void AnEndlessSparseMapStops()
    {
        byte[] header = Header('S', "0", (482, "\x01"), (483, "00000000000\0"));
        byte[] pairs = [.. Enumerable.Range(0, 21).SelectMany(_ => Bytes("00000000000\000000000000\0")), 1, .. new byte[7]];
        Assert.Contains("segments", Assert.Throws<TarException>(() => new TarReader(new RepeatingStream(header, pairs)).Next()).Message);
    }

    [Fact]
    public void AHugeHoleCostsNothingUntilRead()
    {
        byte[] archive = [.. Member('x', [.. Record("GNU.sparse.map", "9000000000000000000,1"), .. Record("GNU.sparse.size", "9000000000000000001")]), .. Member('0', Bytes("x")), .. End];
        var reader = new TarReader(new MemoryStream(archive));
        Assert.Equal(9_000_000_000_000_000_001, reader.Next()!.Size);
        Assert.Null(reader.Next());
    }

    [Fact]
    public void StarsPrefixIsShorter()
    {
        List<(TarEntry Entry, byte[] Content)> all = Accepted(
            Header('0', "0", (345, "dir"), (345 + 131, "times"), (508, "tar\0")), Header('0', "0", (345, new string('p', 155))),
            Header('0', "0", (257, "ustar  \0"), (345, "not a prefix")), End);
        Assert.Equal(["dir/name", new string('p', 155) + "/name", "name"], all.Select(e => Latin1(e.Entry.Name)));
    }

    private sealed class RepeatingStream(byte[] first, byte[] then) : MemoryStream
    {
        private long at;
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer)
        {
            for (int i = 0; i < buffer.Length; i++, at++)
            {
                buffer[i] = at < first.Length ? first[at] : then[(at - first.Length) % then.Length];
            }

            return buffer.Length;
        }
    }
}
