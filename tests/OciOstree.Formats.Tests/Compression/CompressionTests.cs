using System.Diagnostics;
using OciOstree.Formats.Compression;

namespace OciOstree.Formats.Tests.Compression;

public class CompressionTests
{
    private static readonly byte[] Sample = MakeSample();

    private static byte[] MakeSample()
    {
        var random = new Random(3);
        byte[] data = new byte[700_000];
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = (byte)(random.Next(4) == 0 ? random.Next(256) : 'a' + (i / 100 % 20));
        }

        return data;
    }

    private static byte[] Compress(byte[] data, CompressionKind kind, int level = 0, int step = int.MaxValue)
    {
        var memory = new MemoryStream();
        using (Stream stream = Compressor.Open(memory, kind, level))
        {
            for (int at = 0; at < data.Length; at += Math.Min(step, data.Length - at))
            {
                stream.Write(data, at, Math.Min(step, data.Length - at));
            }
        }

        Assert.True(memory.CanWrite, "the destination was closed");
        return memory.ToArray();
    }

    private static byte[] Decompress(byte[] data, CompressionKind? kind = null, int step = int.MaxValue)
    {
        using Stream stream = Decompressor.Open(new MemoryStream(data), kind);
        var memory = new MemoryStream();
        byte[] buffer = new byte[Math.Min(step, 81920)];
        while (stream.Read(buffer) is > 0 and var count)
        {
            memory.Write(buffer, 0, count);
        }

        return memory.ToArray();
    }

    [Theory]
    [InlineData(CompressionKind.None, 0)]
    [InlineData(CompressionKind.Gzip, 0)]
    [InlineData(CompressionKind.Gzip, 1)]
    [InlineData(CompressionKind.Gzip, 9)]
    [InlineData(CompressionKind.Zstd, 0)]
    [InlineData(CompressionKind.Zstd, 1)]
    [InlineData(CompressionKind.Zstd, 19)]
    [InlineData(CompressionKind.Xz, 0)]
    [InlineData(CompressionKind.Xz, 1)]
    public void ThereAndBack(CompressionKind kind, int level)
    {
        foreach (byte[] data in new[] { [], [1], Sample })
        {
            byte[] compressed = Compress(data, kind, level);
            Assert.Equal(compressed, Compress(data, kind, level));
            foreach (int step in new[] { 4000, 65536, 100_000 })
            {
                Assert.Equal(compressed, Compress(data, kind, level, step)); // how it is cut up does not matter
            }

            Assert.Equal(kind, Decompressor.Detect(compressed) is var found && data.Length > 0 || kind != CompressionKind.None ? found : kind);
            Assert.Equal(data, Decompress(compressed));
            Assert.Equal(data, Decompress(compressed, kind));
            Assert.Equal(data.Take(3000), Decompress(Compress([.. data.Take(3000)], kind), step: 7));
        }
    }

    [Fact]
    public void GzipHeadersDependOnNothing()
    {
        foreach (int level in new[] { 0, 1, 9 })
        {
            Assert.Equal("1F8B08000000000000FF", Convert.ToHexString(Compress(Sample, CompressionKind.Gzip, level)[..10]));
        }
    }

    [Theory]
    [InlineData(CompressionKind.Gzip, "gzip")]
    [InlineData(CompressionKind.Zstd, "zstd")]
    [InlineData(CompressionKind.Xz, "xz")]
    public void TheRealProgramsAgree(CompressionKind kind, string program)
    {
        Assert.Equal(Sample, Run(program, "-dc", Compress(Sample, kind)));
        Assert.Equal(Sample, Decompress(Run(program, "-c", Sample)));
    }

    private static byte[] Run(string program, string argument, byte[] input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var output = new MemoryStream();
        var reader = new Thread(() => process.StandardOutput.BaseStream.CopyTo(output));
        reader.Start();
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        reader.Join();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }

    [Theory]
    [InlineData(CompressionKind.Gzip)]
    [InlineData(CompressionKind.Zstd)]
    [InlineData(CompressionKind.Xz)]
    public void MembersAndFramesFollowEachOther(CompressionKind kind)
    {
        byte[] one = Compress(Sample, kind);
        byte[] empty = Compress([], kind);
        Assert.Equal([.. Sample, .. Sample], Decompress([.. one, .. empty, .. one]));
    }

    [Fact]
    public void XzTakesNoLargerDictionaryThanTheContentNeeds()
    {
        var memory = new MemoryStream();
        using (var xz = new XzCompressor(memory, 9, Sample.Length))
        {
            xz.Write(Sample);
        }

        Assert.Equal(Sample, Decompress(memory.ToArray()));
        // Block header (xz format 3.1): the LZMA2 filter's one property byte says how large the dictionary is; 27 stands for 16 MiB.
        Assert.InRange(memory.ToArray()[16], 0, 20);
    }

    [Fact]
    public void SkippableFramesArePassedOver()
    {
        byte[] skip = [0x5e, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
        byte[] one = Compress(Sample, CompressionKind.Zstd);
        Assert.Equal([.. Sample, .. Sample], Decompress([.. skip, .. one, .. skip, .. skip, .. one, .. skip]));
        Assert.Equal([], Decompress(skip));
        Assert.Throws<CompressionException>(() => Decompress([.. one, .. skip[..10]]));
    }

    [Fact]
    public void FramesCanStandAlone()
    {
        var memory = new MemoryStream();
        var ends = new List<int>();
        using (var zstd = new ZstdCompressor(memory))
        {
            for (int i = 0; i < 3; i++)
            {
                zstd.Write(Sample);
                zstd.EndFrame();
                zstd.EndFrame(); // nothing to end
                ends.Add((int)memory.Length);
            }
        }

        Assert.Equal(ends[2], memory.Length);
        Assert.Equal(Sample, Decompress(memory.ToArray()[ends[0]..ends[1]]));
    }

    [Theory]
    [InlineData(CompressionKind.Gzip)]
    [InlineData(CompressionKind.Zstd)]
    [InlineData(CompressionKind.Xz)]
    public void TruncationAndDamageAreNoticed(CompressionKind kind)
    {
        byte[] content = [.. Sample.Take(20_000)];
        byte[] data = Compress(content, kind);
        for (int length = 4; length < data.Length; length += length < 40 || length > data.Length - 40 ? 1 : 97)
        {
            Assert.Throws<CompressionException>(() => Decompress(data[..length]));
        }

        int refused = 0;
        for (int at = 12; at < data.Length; at += 61)
        {
            byte[] damaged = (byte[])data.Clone();
            damaged[at] ^= 0x10;
            try
            {
                Assert.Equal(content, Decompress(damaged)); // some bits mean nothing, but none may change the content
            }
            catch (CompressionException)
            {
                refused++;
            }
        }

        Assert.True(refused > data.Length / 61 * 9 / 10);
        Assert.Throws<CompressionException>(() => Decompress(Sample, kind));
    }

    [Fact]
    public void TheSourceIsClosedUnlessItIsToStayOpen()
    {
        foreach (CompressionKind kind in Enum.GetValues<CompressionKind>())
        {
            foreach (CompressionKind? asked in new CompressionKind?[] { null, kind })
            {
                var source = new MemoryStream(Compress(Sample, kind));
                Decompressor.Open(source, asked, leaveOpen: true).Dispose();
                Assert.True(source.CanRead);
                Decompressor.Open(source, asked).Dispose();
                Assert.False(source.CanRead);
            }
        }
    }
}
