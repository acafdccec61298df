using System.IO.Compression;
using System.Text;
using OciOstree.Formats.Tar;
using OciOstree.Registry;

namespace OciOstree.Container.Tests;

/// <summary>Layers that are broken or mean harm: one line that says why, and the repository as before.</summary>
public sealed class HostileLayerTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private string Refused(MemoryImage image, ImportOptions? options = null)
    {
        var before = test.VisibleState();
        var e = Assert.Throws<ContainerException>(() => test.Import(image, options: options));
        Assert.Equal(before, test.VisibleState());
        test.RequireSound();
        var message = new StringBuilder();
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            message.Append(message.Length > 0 ? ": " : "").Append(at.Message);
        }

        Assert.DoesNotContain('\n', message.ToString());
        return message.ToString();
    }

    private string Refused(Action<TarWriter> layer) => Refused(new MemoryImage().AddTar(layer));

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("usr/../../etc/passwd")]
    [InlineData("/../x")]
    [InlineData("usr/lib/..")]
    public void NamesThatLeadUpwards(string name) => Assert.Contains("leads out of the image by '..'", Refused(tar => tar.File(name, "x")), StringComparison.Ordinal);

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("/../../etc/passwd")]
    public void HardLinkTargetsThatLeadUpwards(string target) =>
        Assert.Contains("leads out of the image by '..'", Refused(tar => tar.HardLink("usr/x", target)), StringComparison.Ordinal);

    [Theory]
    [InlineData("usr/nowhere")]
    [InlineData("/etc/shadow")]
    [InlineData("opt/nowhere")]
    [InlineData("sysroot/ostree/repo/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd.file")]
    public void HardLinksToNowhere(string target) =>
        Assert.Contains("hard link 'usr/x' leads to", Refused(new MemoryImage().AddTar(tar => tar.HardLink("usr/x", target)), new ImportOptions { TopLevels = TopLevelRules.Parse("*=drop") }), StringComparison.Ordinal);

    [Fact]
    public void HardLinksToEachOther() => Assert.Contains("in a circle", Refused(tar =>
    {
        tar.HardLink("usr/a", "usr/b");
        tar.HardLink("usr/b", "usr/a");
    }), StringComparison.Ordinal);

    [Fact]
    public void HardLinksToObjectsOfOtherImages()
    {
        var secret = test.CommitFiles(("secret", "not for this image"));
        var file = test.Repo.ReadDirTree(test.Repo.ReadCommit(secret).RootTree).Files[0].Checksum.ToString();
        Assert.Contains("which is not in the image", Refused(new MemoryImage().AddTar(tar => tar.HardLink("usr/x", $"sysroot/ostree/repo/objects/{file[..2]}/{file[2..]}.file")), new ImportOptions { TopLevels = TopLevelRules.Parse("*=drop") }), StringComparison.Ordinal);
    }

    [Fact]
    public void HardLinksToDirectories() => Assert.Contains("leads to the directory", Refused(tar =>
    {
        tar.Directory("usr/d");
        tar.HardLink("usr/x", "usr/d");
    }), StringComparison.Ordinal);

    [Fact]
    public void FilesBeneathALinkOfTheSameLayer() => Assert.Contains("'usr/link', which is a symbolic link", Refused(tar =>
    {
        tar.Symlink("usr/link", "/etc");
        tar.File("usr/link/passwd", "root::0:0");
    }), StringComparison.Ordinal);

    [Fact]
    public void FilesBeneathALinkOfALowerLayer() =>
        Assert.Contains("beneath 'usr/link', which is a symbolic link of a lower layer", Refused(new MemoryImage().AddTar(tar => tar.Symlink("usr/link", "/etc")).AddTar(tar => tar.File("usr/link/passwd", "x"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("usr/out/canary", null)]
    [InlineData("usr/out/new", null)]
    [InlineData("usr/out/.wh.canary", null)]
    [InlineData("usr/out/.wh..wh..opq", null)]
    [InlineData("usr/out/deep/er", null)]
    [InlineData("usr/x", "usr/out/canary")]
    [InlineData("usr/x", "usr/up/canary")]
    [InlineData("etc/out/canary", null)]
    public void NothingIsReachedThroughALinkOfALowerLayer(string name, string? target)
    {
        Action<TarWriter> planted = tar =>
        {
            tar.Symlink("usr/out", test.Scratch.MakeDirectory("outside"));
            tar.Symlink("usr/up", "../../../../outside");
            tar.Symlink("etc/out", "../../../../../outside");
        };
        Action<TarWriter> through = tar =>
        {
            if (target is null)
            {
                tar.File(name, "evil");
            }
            else
            {
                tar.HardLink(name, target);
            }
        };
        test.Scratch.Write("outside/canary", "sings");
        Refused(new MemoryImage().AddTar(planted).AddTar(through));
        Assert.Equal(["canary"], Directory.GetFileSystemEntries(test.Scratch["outside"]).Select(Path.GetFileName));
        Assert.Equal("sings", File.ReadAllText(test.Scratch["outside/canary"]));
        Assert.Equal(["outside", "repo"], Directory.GetFileSystemEntries(test.Scratch.Path).Select(Path.GetFileName).Order());

        // In one layer, too, where a whiteout has nothing to hide.
        var one = new MemoryImage().AddTar(tar =>
        {
            planted(tar);
            through(tar);
        });
        if (name.Contains(".wh.", StringComparison.Ordinal))
        {
            Assert.Contains("/usr/out", test.Tree(test.Import(one).MergeCommit).Keys);
        }
        else
        {
            Refused(one);
        }

        Assert.Equal("sings", File.ReadAllText(test.Scratch["outside/canary"]));
    }

    [Theory]
    [InlineData("usr/.wh.")]
    [InlineData("usr/.wh..")]
    [InlineData("usr/.wh...")]
    public void WhiteoutsOfNothing(string name) => Assert.Contains("is a whiteout of nothing", Refused(tar => tar.File(name)), StringComparison.Ordinal);

    [Fact]
    public void NamesThatAreNotText() =>
        Assert.Contains("not valid UTF-8", Refused(tar => tar.Write(new TarEntry { Name = [.. "usr/"u8, 0xff], Type = TarEntryType.File }, [])), StringComparison.Ordinal);

    [Fact]
    public void NamesThatAreTooLong()
    {
        Assert.Contains("more than 255 bytes", Refused(tar => tar.File("usr/" + new string('x', 256))), StringComparison.Ordinal);
        Assert.Contains("longer than 4095 bytes", Refused(tar => tar.File("usr/" + string.Concat(Enumerable.Repeat("x/", 3000)))), StringComparison.Ordinal);
    }

    [Fact]
    public void OwnersThatNoFileCanHave() =>
        Assert.Contains("which no file can be", Refused(tar => tar.Write(new TarEntry { Name = "usr/x"u8.ToArray(), Type = TarEntryType.File, Uid = 1L << 33 }, [])), StringComparison.Ordinal);

    [Fact]
    public void ALayerThatIsNoTar()
    {
        var noise = new byte[5000];
        new Random(1).NextBytes(noise);
        Assert.Contains("Importing layer sha256:", Refused(new MemoryImage().AddTar(noise)), StringComparison.Ordinal);
    }

    [Fact]
    public void ALayerCutShortAnywhere()
    {
        var tar = MemoryImage.Tar(writer =>
        {
            writer.Directory("usr");
            writer.File("usr/a", new string('a', 3000));
            writer.File("usr/" + new string('n', 150), "long name");
            writer.HardLink("usr/b", "usr/a");
        });
        // One of the two blocks that end an archive is enough.
        for (var length = 512; length <= tar.Length - 1024; length += 512)
        {
            Refused(new MemoryImage().AddTar(tar[..length]));
        }
    }

    [Fact]
    public void ATamperedBlobIsToldByItsDigest()
    {
        var image = new MemoryImage().AddTar(tar => tar.File("usr/fine", "x")).AddTar(tar => tar.File("usr/x", new string('x', 2000)));
        image.Tamper(1, blob =>
        {
            var changed = blob.ToArray();
            changed[^12] ^= 1;
            return changed;
        });
        Assert.Contains($"Fetching layer {image.Layer(1).Digest}: blob {image.Layer(1).Digest} has another digest", Refused(image), StringComparison.Ordinal);
    }

    [Fact]
    public void ATruncatedBlobIsToldByItsDigest()
    {
        var image = new MemoryImage().AddTar(tar => tar.File("usr/x", new string('x', 2000)));
        image.Tamper(0, blob => blob[..^9]);
        Assert.Contains("Fetching layer", Refused(image), StringComparison.Ordinal);
    }

    [Fact]
    public void ABlobWithMoreBehindItIsRefused()
    {
        var image = new MemoryImage().AddTar(tar => tar.File("usr/x", "x"));
        image.Tamper(0, blob => [.. blob, 0, 0, 0]);
        Refused(image);
    }

    [Fact]
    public void AFalseDiffIdIsRefused()
    {
        var good = new MemoryImage().AddTar(tar => tar.File("usr/x", "x"));
        var image = new MemoryImage().AddBlob(good.Blob(0), Digest.Compute("something else"u8));
        Assert.Contains("uncompressed digest is", Refused(image), StringComparison.Ordinal);
    }

    [Fact]
    public void AnObjectWithAnotherChecksumIsRefused()
    {
        var refused = Refused(GoldenWithLayer(0, 1, tar =>
        {
            const string Name = "0eace6a252cf00687eb4b6d8fda511805295cb5859a7ba5b868b32f3cd359f2a";
            tar.File($"sysroot/ostree/repo/objects/{Name[..2]}/{Name[2..]}.file-xattrs-link");
            tar.File($"sysroot/ostree/repo/objects/{Name[..2]}/{Name[2..]}.file", "evil");
        }));
        Assert.Contains("0eace6a252cf00687eb4b6d8fda511805295cb5859a7ba5b868b32f3cd359f2a", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void ACommitWithoutAllOfItsObjectsIsRefused() =>
        Assert.Contains("does not hold all of commit 337a11afb28b1be7825de0eedfdcf4006673a1e0db671abe2ee47399e234580a", Refused(GoldenWithLayer(0, 1, tar => { })), StringComparison.Ordinal);

    [Fact]
    public void AnImageWithoutLayersIsRefused() => Assert.Contains("no layers", Refused(new MemoryImage()), StringComparison.Ordinal);

    [Fact]
    public void NamesWithANul()
    {
        // The field of the header ends at one; a PAX record can hold it.
        byte[] record = [.. "usr/a"u8, 0, .. "b"u8];
        Assert.Contains("NUL", Refused(new MemoryImage().AddTar(PaxPath(record, "path"))), StringComparison.Ordinal);
        Assert.Contains("NUL", Refused(new MemoryImage().AddTar(PaxPath(record, "linkpath"))), StringComparison.Ordinal);
    }

    [Fact]
    public void LinkTargetsThatAreNotText()
    {
        Refused(tar => tar.Write(new TarEntry { Name = "usr/x"u8.ToArray(), Type = TarEntryType.SymbolicLink, LinkName = [0xff, 0xfe] }, []));
        Refused(tar => tar.Write(new TarEntry { Name = "usr/x"u8.ToArray(), Type = TarEntryType.HardLink, LinkName = [0xff, 0xfe] }, []));
    }

    [Theory]
    [InlineData("77777777777")] // 8 GiB that do not come
    [InlineData("00000000001")] // less than there is
    [InlineData("-0000000001")]
    [InlineData("not a size!")]
    public void SizesThatLie(string octal)
    {
        var tar = MemoryImage.Tar(writer => writer.File("usr/x", new string('x', 3000)));
        Encoding.ASCII.GetBytes(octal, tar.AsSpan(124));
        FixChecksum(tar.AsSpan(0, 512));
        Refused(new MemoryImage().AddTar(tar));
    }

    [Fact]
    public void AMillionEntriesThatAreLeftOutAreCountedAndNotListed()
    {
        var image = new MemoryImage().AddTar(tar =>
        {
            for (var i = 0; i < 1_000_000; i++)
            {
                tar.Directory($"run/{i}");
            }
        });
        var result = test.Import(image);
        Assert.Equal(1_000_000, result.Dropped.Paths.Values.Sum() + result.Dropped.OtherPathCount);
        Assert.Equal(["/"], test.Tree(result.MergeCommit).Keys);
    }

    [Fact]
    public void ZstdIsCutShortByItsDigestToo()
    {
        var tar = MemoryImage.Tar(writer => writer.File("usr/x", new string('x', 100_000)));
        var image = new MemoryImage().AddBlob(Zstd(tar), Digest.Compute(tar), MediaTypes.OciLayerZstd);
        image.Tamper(0, blob => blob[..(blob.Length / 2)]);
        Assert.Contains("Fetching layer", Refused(image), StringComparison.Ordinal);
    }

    [Fact]
    public void AZstdBombIsRefusedBeforeItIsWritten()
    {
        // 16 GiB of zeros behind the end of an archive, in a few hundred kilobytes.
        byte[] archive = Zstd(MemoryImage.Tar(tar => tar.File("opt/x", ""))), zeros = Zstd(new byte[64 << 20]);
        var message = Refused(new MemoryImage().AddBlob([.. archive, .. Enumerable.Repeat(zeros, 256).SelectMany(bytes => bytes)], Digest.Compute("unknown"u8), MediaTypes.OciLayerZstd));
        Assert.Contains("follow the end of the archive", message, StringComparison.Ordinal);
    }

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var zstd = new Formats.Compression.ZstdCompressor(compressed))
        {
            zstd.Write(bytes);
        }

        return compressed.ToArray();
    }

    /// <summary>An entry whose name, or link's target, is in a PAX record.</summary>
    private static byte[] PaxPath(byte[] value, string key)
    {
        // "LENGTH KEY=VALUE\n", where the length counts itself: two digits here.
        byte[] record = [.. Encoding.ASCII.GetBytes($"{key.Length + value.Length + 5} {key}="), .. value, (byte)'\n'];
        var tar = MemoryImage.Tar(writer =>
        {
            writer.Write(new TarEntry { Name = "pax"u8.ToArray(), Type = TarEntryType.File, Mode = 0x1a4, Size = record.Length }, record);
            writer.Write(new TarEntry { Name = "usr/short"u8.ToArray(), Type = key == "path" ? TarEntryType.File : TarEntryType.HardLink, Mode = 0x1a4, LinkName = key == "path" ? [] : "usr/a"u8.ToArray() }, []);
        });
        tar[156] = (byte)'x';
        FixChecksum(tar.AsSpan(0, 512));
        return tar;
    }

    private static void FixChecksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in header)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", header[148..]);
    }

    [Fact]
    public void ABombIsRefusedBeforeItIsWritten()
    {
        // 16 GiB of zeros behind the header of one file, in 16 MiB of gzip.
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(MemoryImage.Tar(tar => tar.File("opt/x", "")).AsSpan(0, 512));
        }

        var zeros = new MemoryStream();
        using (var gzip = new GZipStream(zeros, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(new byte[64 << 20]);
        }

        for (var i = 0; i < 300; i++)
        {
            zeros.WriteTo(compressed);
        }

        var message = Refused(new MemoryImage().AddBlob(compressed.ToArray(), Digest.Compute("unknown"u8)));
        Assert.Contains("follow the end of the archive", message, StringComparison.Ordinal);
    }

    /// <summary>The golden single-layer commit split in two: its metadata, and a chunk of our own instead of the content.</summary>
    private static MemoryImage GoldenWithLayer(int from, int count, Action<TarWriter> chunk)
    {
        var golden = MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-chunked.ociarchive"));
        var config = ImageConfig.Parse(golden.ReadBlob(golden.FetchManifest().Manifest.Config));
        var image = new MemoryImage();
        for (var layer = from; layer < from + count; layer++)
        {
            image.AddBlob(golden.Blob(layer), config.DiffIds[layer]);
        }

        image.AddTar(chunk);
        image.Labels["ostree.final-diffid"] = image.DiffId(count).ToString();
        return image;
    }
}
