using System.Text;

namespace OciOstree.Linux.Tests;

public sealed class FileNameTests
{
    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0x61, 0x62 })]
    [InlineData(new byte[] { 0xC3, 0xA9 })]                     // é
    [InlineData(new byte[] { 0xF0, 0x9F, 0x90, 0xA7 })]         // a penguin
    [InlineData(new byte[] { 0xF0, 0x9F, 0x90, 0x2F })]         // a penguin cut short by a slash
    [InlineData(new byte[] { 0xC0, 0x80 })]                     // overlong NUL
    [InlineData(new byte[] { 0xED, 0xB2, 0x80 })]               // U+DC80 itself in UTF-8, which is not valid
    [InlineData(new byte[] { 0xFF, 0xC3, 0xA9, 0x80, 0x41 })]
    public void Bytes_come_back_as_they_were(byte[] bytes)
    {
        string name = FileName.FromBytes(bytes);
        Assert.Equal(bytes, FileName.ToBytes(name));
        Assert.Equal(bytes.Length, FileName.ByteCount(name));
    }

    [Fact]
    public void Random_bytes_come_back_and_UTF8_is_told_apart()
    {
        var random = new Random(1);
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        for (int i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(12)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                for (int j = 0; j < bytes.Length; j++)
                    bytes[j] |= 0x80;
            }
            string name = FileName.FromBytes(bytes);
            Assert.Equal(bytes, FileName.ToBytes(name));
            bool valid = true;
            try
            {
                Assert.Equal(strict.GetString(bytes), name);
            }
            catch (ArgumentException)
            {
                valid = false;
            }
            Assert.Equal(valid, FileName.IsUtf8(name));
        }
    }

    [Fact]
    public void The_order_is_that_of_bytes()
    {
        // In UTF-16 the penguin (a surrogate) sorts before U+FF5E, in UTF-8 after it.
        string[] names = ["a", "a/b", "ab", "b", "é", "\uFF5E", "🐧", FileName.FromBytes([0x61, 0xFF]), FileName.FromBytes([0xFE])];
        foreach (string x in names)
        {
            foreach (string y in names)
            {
                int expected = FileName.ToBytes(x).AsSpan().SequenceCompareTo(FileName.ToBytes(y));
                Assert.Equal(Math.Sign(expected), Math.Sign(FileName.Compare(x, y)));
            }
        }
    }

    [Theory]
    [InlineData(0xD800)]
    [InlineData(0xDC7F)]
    [InlineData(0xDD00)]
    public void Surrogates_that_stand_for_no_byte_are_refused(int surrogate)
    {
        string name = $"a{(char)surrogate}b";   // an attribute could not carry it: its strings are UTF-8
        Assert.Throws<ArgumentException>(() => FileName.ToBytes(name));
        Assert.False(FileName.IsUtf8(name));
    }

    [Fact]
    public void Messages_stay_on_one_line()
    {
        string name = FileName.FromBytes([0x61, 0x0A, 0x1B, 0xFF, 0xC3, 0xA9]);
        Assert.Equal("a\\x0a\\x1b\\xffé", FileName.ForDisplay(name));
        Assert.DoesNotContain('\n', new LinuxException(Errno.EIO, "open", name).Message);
    }
}
