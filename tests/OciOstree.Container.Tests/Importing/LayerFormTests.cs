using System.IO.Compression;
using System.Security.Cryptography;
using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;
using OciOstree.Registry;

namespace OciOstree.Container.Tests;

/// <summary>Layers in every form that a tar and its compression have.</summary>
public sealed class LayerFormTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private SortedDictionary<string, string> Import(params byte[][] layers)
    {
        var image = new MemoryImage();
        foreach (var layer in layers)
        {
            image.AddTar(layer);
        }

        return Import(image);
    }

    private SortedDictionary<string, string> Import(MemoryImage image)
    {
        var result = test.Import(image);
        test.RequireSound();
        return test.Tree(result.MergeCommit);
    }

    private string Refused(byte[] layer)
    {
        var before = test.VisibleState();
        var e = Assert.Throws<ContainerException>(() => test.Import(new MemoryImage().AddTar(layer)));
        Assert.Equal(before, test.VisibleState());
        return e.InnerException!.InnerException!.Message;
    }

    private static byte[] Gzip(byte[] bytes) => MemoryImage.Compress(bytes);

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var zstd = new ZstdCompressor(compressed))
        {
            zstd.Write(bytes);
        }

        return compressed.ToArray();
    }

    [Fact]
    public void Old_headers_and_bits_of_types_in_modes()
    {
        var tree = Import(RawTar.New
            .Add('\0', "usr/", "", "", (257, "\0\0\0\0\0\0\0\0"), (100, " 40750 \0")) // a directory by its slash
            .Add('\0', "usr/old", "old", "", (257, "\0\0\0\0\0\0\0\0"), (100, "100640 \0"))
            .Add('7', "usr/contiguous", "c")
            .Add('0', "usr/sticky", "s", "", (100, "0107755\0"))
            .Add('2', "usr/link", "", "old", (100, "0000000\0"))
            .Add('1', "usr/hard", "", "usr/old", (124, "00000000003\0")) // says its target's size, and has no content
            .Add('5', "usr/dir", "", "", (100, "0041777\0"), (124, "00000001000\0"))
            .End());
        Assert.Equal("d 750 0", tree["/usr"]);
        Assert.Equal("f 640 0 old", tree["/usr/old"]);
        Assert.Equal("f 640 0 old", tree["/usr/hard"]);
        Assert.Equal("f 644 0 c", tree["/usr/contiguous"]);
        Assert.Equal("f 7755 0 s", tree["/usr/sticky"]);
        Assert.Equal("l 777 old", tree["/usr/link"]);
        Assert.Equal("d 1777 0", tree["/usr/dir"]);
    }

    [Fact]
    public void Owners_and_times_in_every_way_of_writing_numbers()
    {
        var tree = Import(RawTar.New
            .Add('0', "usr/octal", "", "", (108, "7777777\0"))
            .Add('0', "usr/base256", "", "", (108, "\x80\0\0\0\xb2\xd0\x5e\0"), (136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb"))
            .Pax(("uid", "3000000000"), ("gid", "4294967294"), ("mtime", "99999999999.5")).Add('0', "usr/pax")
            .Pax(("mtime", "-1.25")).Add('0', "usr/past")
            .Add('0', "usr/nothing", "", "", (108, "        "), (136, "            "))
            .End());
        Assert.Equal("f 644 2097151 ", tree["/usr/octal"]);
        Assert.Equal("f 644 3000000000 ", tree["/usr/base256"]);
        Assert.Equal("f 644 3000000000 ", tree["/usr/pax"]);
        Assert.Equal("f 644 0 ", tree["/usr/past"]);
        Assert.Equal("f 644 0 ", tree["/usr/nothing"]);
    }

    [Fact]
    public void Names_and_links_beyond_the_headers_fields()
    {
        string part = new('n', 255), path = "usr/" + string.Join('/', Enumerable.Repeat(part, 15)), target = string.Join('/', Enumerable.Repeat(new string('t', 200), 20));
        Assert.True(path.Length > 3800 && target.Length > 4000);
        var tree = Import(RawTar.New
            .Long('L', path + "/gnu").Add('0', "cut", "gnu")
            .Pax(("path", path + "/pax")).Add('0', "cut", "pax")
            .Long('K', path + "/gnu").Add('1', "usr/hard-gnu")
            .Pax(("linkpath", path + "/pax")).Add('1', "usr/hard-pax", "", "cut")
            .Long('L', path + "/sym").Long('K', target).Add('2', "cut", "", "cut")
            .Pax(("path", "usr/sym"), ("linkpath", target)).Add('2', "cut", "", "cut")
            .Pax(("path", "usr/by-pax")).Long('L', "usr/by-gnu").Add('0', "cut") // GNU's counts, as for container runtimes
            .Add('0', "prefixed", "p", "", (345, "usr/" + new string('p', 120))) // ustar's
            .End());
        Assert.Equal("f 644 0 gnu", tree[$"/{path}/gnu"]);
        Assert.Equal("f 644 0 pax", tree[$"/{path}/pax"]);
        Assert.Equal("f 644 0 gnu", tree["/usr/hard-gnu"]);
        Assert.Equal("f 644 0 pax", tree["/usr/hard-pax"]);
        Assert.Equal($"l 777 {target}", tree[$"/{path}/sym"]);
        Assert.Equal($"l 777 {target}", tree["/usr/sym"]);
        Assert.Equal("f 644 0 ", tree["/usr/by-gnu"]);
        Assert.Equal("f 644 0 p", tree[$"/usr/{new string('p', 120)}/prefixed"]);
        Assert.DoesNotContain("/usr/by-pax", tree.Keys);

        string tooLong = "usr/" + string.Join('/', Enumerable.Repeat(part, 16));
        Assert.Contains("longer than 4095 bytes", Refused(RawTar.New.Long('L', tooLong).Add('0', "cut").End()));
        Assert.Contains("longer than 4095 bytes", Refused(RawTar.New.Long('K', tooLong).Add('1', "usr/x").End()));
        Assert.Contains("no valid target", Refused(RawTar.New.Pax(("linkpath", tooLong)).Add('2', "usr/x").End()));
    }

    [Fact]
    public void What_is_said_of_all_members_is_not_heard()
    {
        // Container runtimes take no notice of it, so an image must not mean something else here.
        var tree = Import(RawTar.New
            .Extended('g', ("comment", "0123456789abcdef"), ("uid", "5"), ("path", "usr/everything"), ("SCHILY.xattr.user.x", "x"), ("mtime", "7"))
            .Add('0', "usr/a", "a")
            .Pax(("uid", "6")).Add('0', "usr/b", "b")
            .End());
        Assert.Equal(["/", "/usr", "/usr/a", "/usr/b"], tree.Keys);
        Assert.Equal("f 644 0 a", tree["/usr/a"]);
        Assert.Equal("f 644 6 b", tree["/usr/b"]);
    }

    [Fact]
    public void Sparse_files_of_every_kind()
    {
        // One file of 3,000,000 bytes with three runs of content in it, as GNU tar writes it.
        var vectors = Path.Combine(OurProgram.CheckoutRoot, "tests/OciOstree.Formats.Tests/Tar/vectors");
        foreach (var form in (string[])["sparse-gnu", "sparse-0.0", "sparse-0.1", "sparse-1.0"])
        {
            using var archive = new MemoryStream();
            using (var gzip = new GZipStream(File.OpenRead(Path.Combine(vectors, form + ".tar.gz")), CompressionMode.Decompress))
            {
                gzip.CopyTo(archive);
            }

            Assert.True(archive.Length < 300_000);
            var commit = test.Import(new MemoryImage().AddTar(archive.ToArray()), form).MergeCommit;
            using var file = test.Repo.OpenFile(test.Repo.ReadDirTree(test.Repo.ReadCommit(commit).RootTree).Files.Single(file => file.Name == "sp").Checksum);
            Assert.Equal(3_000_000, file.Size);
            Assert.Equal("C9256463C120F63F6A7E3C84B7E139C6875D68751E4E0E3B3573DBCE316AE874", Convert.ToHexString(SHA256.HashData(file.Content)));
        }

        test.RequireSound();
    }

    [Fact]
    public void Sparse_files_that_are_all_hole_are_refused_before_they_are_written()
    {
        Assert.Contains("too sparse", Refused(RawTar.New.Add('S', "usr/x", "", "", (257, "ustar  \0"), (483, "\x80\0\0\0\0\x10\0\0\0\0\0\0")).End()));
        foreach (var size in (string[])["1099511627776", "9223372036854775807"])
        {
            Assert.Contains("too sparse", Refused(RawTar.New.Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "usr/x"), ("GNU.sparse.realsize", size)).Add('0', "x", "0\n" + new string('\0', 510)).End()));
            Assert.Contains("too sparse", Refused(RawTar.New.Pax(("GNU.sparse.size", size), ("GNU.sparse.numblocks", "0"), ("GNU.sparse.map", "0,0")).Add('0', "usr/x").End()));
        }

        // Each within reason, but not both.
        Assert.Contains("usr/y of 8589934592 bytes", Refused(RawTar.New
            .Pax(("GNU.sparse.size", "1048576"), ("GNU.sparse.map", "0,0")).Add('0', "usr/x")
            .Pax(("GNU.sparse.size", "8589934592"), ("GNU.sparse.map", "0,0")).Add('0', "usr/y").End()));
    }

    [Fact]
    public void Layers_of_nothing()
    {
        var tree = Import(MemoryImage.Tar(tar => tar.File("usr/x", "x")), new byte[1024], new byte[512], new byte[10240]);
        Assert.Equal(["/", "/usr", "/usr/x"], tree.Keys);
        Assert.Contains("truncated", Refused([]));
    }

    [Fact]
    public void What_follows_the_end_of_an_archive_is_not_looked_at()
    {
        var tree = Import([.. MemoryImage.Tar(tar => tar.File("usr/x", "x")), .. new byte[9000], .. "garbage"u8, .. MemoryImage.Tar(tar => tar.File("usr/y", "y"))]);
        Assert.Equal(["/", "/usr", "/usr/x"], tree.Keys);
    }

    [Fact]
    public void An_archive_that_lost_the_padding_of_its_last_record_on_the_way_is_the_same()
    {
        // As skopeo 1.9 hands it on as zstd:chunked.
        var tar = MemoryImage.Tar(writer => writer.File("usr/x", "x"));
        byte[] padded = [.. tar, .. new byte[10240 - tar.Length]];
        Assert.Equal("f 644 0 x", Import(new MemoryImage().AddBlob(Zstd(tar), Digest.Compute(padded)))["/usr/x"]);
        byte[] more = [.. padded, .. new byte[512]];
        using var other = new TestRepo();
        var e = Assert.Throws<ContainerException>(() => other.Import(new MemoryImage().AddBlob(Zstd(tar), Digest.Compute(more))));
        Assert.Contains($"uncompressed digest is {Digest.Compute(tar)}, not {Digest.Compute(more)}", e.InnerException!.InnerException!.Message);
    }

    [Fact]
    public void Compressed_in_pieces_and_with_pieces_to_skip()
    {
        var tar = MemoryImage.Tar(writer => writer.File("usr/x", new string('x', 5000)));
        byte[] skippable = [0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        byte[][] forms =
        [
            [.. Gzip(tar[..700]), .. Gzip([]), .. Gzip(tar[700..])],
            [.. skippable, .. Zstd(tar[..700]), .. skippable, .. Zstd(tar[700..]), .. skippable],
        ];
        foreach (var form in forms)
        {
            using var own = new TestRepo();
            Assert.Equal($"f 644 0 {new string('x', 5000)}", own.Tree(own.Import(new MemoryImage().AddBlob(form, Digest.Compute(tar))).MergeCommit)["/usr/x"]);
        }
    }

    [Theory]
    [InlineData(MediaTypes.OciLayer)]
    [InlineData(MediaTypes.OciLayerGzip)]
    [InlineData(MediaTypes.OciLayerZstd)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    public void The_content_says_how_it_is_compressed_whatever_the_type_says(string mediaType)
    {
        var tar = MemoryImage.Tar(writer => writer.File("usr/x", "x"));
        foreach (var form in (byte[][])[tar, Gzip(tar), Zstd(tar)])
        {
            using var own = new TestRepo();
            Assert.Equal("f 644 0 x", own.Tree(own.Import(new MemoryImage().AddBlob(form, Digest.Compute(tar), mediaType, "https://127.0.0.1:1/blob")).MergeCommit)["/usr/x"]);
        }
    }

    [Fact]
    public void Steps_without_a_layer_have_none()
    {
        var image = new MemoryImage().AddEmptyStep("ENV A=1").AddTar(tar => tar.File("usr/a", "a")).AddEmptyStep("LABEL x=y").AddEmptyStep("CMD z").AddTar(tar => tar.File("usr/b", "b")).AddEmptyStep("USER 0");
        using var importer = new ImageImporter(test.Repo, TestRepo.Reference("steps"), null, image);
        var plan = importer.Prepare();
        Assert.Equal(["step 1", "step 2"], plan.Layers.Select(layer => layer.CreatedBy.Split('\n')[0]));
        Assert.Equal(["/", "/usr", "/usr/a", "/usr/b"], test.Tree(importer.Import(plan).MergeCommit).Keys);
    }

    [Fact]
    public void Xattrs_that_no_machine_could_show_are_none()
    {
        string capability3 = "\u0001\0\0\u0003\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u00e8\u0003\0\0";
        var tree = Import(RawTar.New
            .Pax(("SCHILY.xattr.security.capability", capability3), ("SCHILY.xattr.user.a=b", "c"), ("SCHILY.xattr.com.apple.quarantine", "q"), ("SCHILY.xattr.system.nfs4_acl", "n"), ("SCHILY.xattr.user.", "u"), ("SCHILY.xattr.user.overlay.opaque", "y"))
            .Add('0', "usr/file")
            .Pax(("SCHILY.xattr.user.x", "\0\u00ff"), ("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.trusted.t", "t")).Add('5', "usr/dir")
            .Pax(("SCHILY.xattr.trusted.t", "t"), ("SCHILY.xattr.user.x", "u")).Add('2', "usr/link", "", "x")
            .End());
        // A record's key ends at the first '=': that is what runtimes make of it.
        Assert.Equal("f 644 0  security.capability=0100000300200000000000000000000000000000e8030000 user.a=623d63", tree["/usr/file"]);
        Assert.Equal("d 755 0 trusted.t=74 user.x=00ff", tree["/usr/dir"]);
        Tool.Run("ostree", $"--repo={test.Path}", "checkout", test.Repo.ResolveRequired(ImageRefs.ForImage(TestRepo.Reference("test").Image)).ToString(), test.Scratch["root"]).Ok();
        Assert.Equal("trusted.t=\"t\"", Tool.Shell("getfattr -hd -m - usr/link | grep =", test.Scratch["root"]).Ok().OutputLine);
    }

    [Fact]
    public void A_layer_of_everything_cut_short_at_every_block()
    {
        var whole = RawTar.New
            .Extended('g', ("comment", "c"))
            .Add('5', "usr")
            .Long('L', "usr/" + string.Join('/', Enumerable.Repeat(new string('l', 200), 3))).Add('0', "cut", new string('a', 1500))
            .Pax(("path", "usr/" + new string('p', 250)), ("SCHILY.xattr.user.x", new string('v', 900))).Add('0', "cut", "x")
            .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "usr/sparse"), ("GNU.sparse.realsize", "5000")).Add('0', "x", "1\n4000\n600\n" + new string('\0', 501) + new string('s', 600))
            .Add('1', "usr/hard", "", "usr/sparse")
            .Add('2', "usr/link", "", "x")
            .Unfinished();
        for (var length = 512; length <= whole.Length; length += 512)
        {
            Assert.Matches("truncated|ends after an extended header", Refused(whole[..length]));
        }

        Assert.Empty(Directory.GetFiles(Path.Combine(test.Path, "objects"), "*", SearchOption.AllDirectories));
        Assert.Equal(8, Import([.. whole, .. new byte[512]]).Keys.Count(path => path.StartsWith("/usr", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_million_entries_of_one_directory()
    {
        using var own = new TestRepo(Repository.RepoMode.Archive);
        using var compressed = new MemoryStream();
        using var sha256 = SHA256.Create();
        using (var zstd = new ZstdCompressor(compressed))
        using (var hashed = new CryptoStream(zstd, sha256, CryptoStreamMode.Write, leaveOpen: true))
        {
            var tar = new TarWriter(hashed);
            for (var i = 0; i < 1_000_000; i++)
            {
                tar.File($"usr/{i}");
            }

            tar.Finish();
        }

        var image = new MemoryImage().AddBlob(compressed.ToArray(), Digest.FromSha256(sha256.Hash!));
        var root = own.Repo.ReadDirTree(own.Repo.ReadCommit(own.Import(image).MergeCommit).RootTree);
        Assert.Equal(1_000_000, own.Repo.ReadDirTree(root.Directories[0].Tree).Files.Count);
    }
}
