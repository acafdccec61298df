using OciOstree.Formats.Tar;

namespace OciOstree.Container.Tests;

/// <summary>Files that are packed, since a layer has very many, are found, replaced and linked like any other.</summary>
public sealed class ManyFilesTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private static void WriteMany(TarWriter tar)
    {
        tar.Symlink("usr/d5/link", "f0");
        for (var file = 0; file < 2500; file++)
        {
            for (var directory = 0; directory < 8; directory++)
            {
                tar.File($"usr/d{directory}/fülle-{file}");
            }
        }
    }

    [Fact]
    public void Later_entries_see_them()
    {
        var image = new MemoryImage().AddTar(tar =>
        {
            WriteMany(tar);
            tar.File("usr/d0/fülle-5", "changed");
            tar.Special("usr/d1/fülle-7", TarEntryType.Fifo);
            tar.HardLink("usr/linked", "usr/d2/fülle-9");
            tar.HardLink("usr/linked-too", "usr/d2/fülle-9");
            tar.Directory("usr/d3/fülle-11", 0x1c0);
            tar.File("usr/d3/fülle-11/x", "deep");
            tar.HardLink("usr/another-link", "usr/d5/link");
            tar.Symlink("usr/d6/fülle-0", "elsewhere");
            for (var again = 0; again < 12_000; again++)
            {
                tar.File($"usr/d7/fülle-{again % 2500}", again == 11_999 ? "last" : "");
            }
        });
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["/"] = "d 755 0", ["/usr"] = "d 755 0" };
        for (var directory = 0; directory < 8; directory++)
        {
            expected[$"/usr/d{directory}"] = "d 755 0";
            for (var file = 0; file < 2500; file++)
            {
                expected[$"/usr/d{directory}/fülle-{file}"] = "f 644 0 ";
            }
        }

        expected["/usr/d0/fülle-5"] = "f 644 0 changed";
        expected.Remove("/usr/d1/fülle-7");
        expected["/usr/linked"] = expected["/usr/linked-too"] = "f 644 0 ";
        expected["/usr/d3/fülle-11"] = "d 700 0";
        expected["/usr/d3/fülle-11/x"] = "f 644 0 deep";
        expected["/usr/d5/link"] = expected["/usr/another-link"] = "l 777 f0";
        expected["/usr/d6/fülle-0"] = "l 777 elsewhere";
        expected[$"/usr/d7/fülle-{11_999 % 2500}"] = "f 644 0 last";
        var imported = test.Import(image);
        Assert.Equal(expected, test.Tree(imported.MergeCommit));

        // One file, with all of its names, however long ago the first came.
        var layer = LayerMetadata.Read(test.Repo.ReadCommit(test.Repo.ResolveRequired(ImageRefs.ForLayer(image.Layer(0).Digest))));
        Assert.Equal([["/usr/another-link", "/usr/d5/link"], ["/usr/d2/fülle-9", "/usr/linked", "/usr/linked-too"]], layer.SameFiles);
    }

    [Fact]
    public void Nothing_lies_beneath_one()
    {
        var e = Assert.Throws<ContainerException>(() => test.Import(new MemoryImage().AddTar(tar =>
        {
            WriteMany(tar);
            tar.File("usr/d4/fülle-3/x");
        })));
        Assert.Contains("which is a file", e.InnerException!.InnerException!.Message);
        Assert.Throws<ContainerException>(() => test.Import(new MemoryImage().AddTar(tar =>
        {
            WriteMany(tar);
            tar.File("usr/d5/link/x");
        })));
    }
}
