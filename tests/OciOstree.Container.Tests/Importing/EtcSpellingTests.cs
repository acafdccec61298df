using OciOstree.Formats.Tar;

namespace OciOstree.Container.Tests;

/// <summary>To a container, <c>/etc</c> and <c>/usr/etc</c> are two directories; in a commit they are one. What is done to one of them leaves the other's alone.</summary>
public sealed class EtcSpellingTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private SortedDictionary<string, string> Import(params Action<TarWriter>[] layers)
    {
        var image = new MemoryImage();
        foreach (var layer in layers)
        {
            image.AddTar(layer);
        }

        var result = test.Import(image);
        test.RequireSound();
        return test.Tree(result.MergeCommit);
    }

    private static string[] Etc(SortedDictionary<string, string> tree) => [.. tree.Where(line => line.Key.StartsWith("/usr/etc", StringComparison.Ordinal)).Select(line => line.Key["/usr/etc".Length..] + " " + line.Value)];

    private static void Base(TarWriter tar)
    {
        tar.Directory("etc", mode: 0x1c0);
        tar.File("etc/a", "etc");
        tar.File("etc/d/b", "etc");
        tar.File("usr/bin/x", "x");
    }

    [Fact]
    public void Both_become_one_and_the_later_layer_counts()
    {
        Assert.Equal(
            ["/ d 700 0", "/a f 644 0 usr", "/c f 644 0 usr", "/d d 755 0", "/d/b f 644 0 later"],
            Etc(Import(Base, tar =>
            {
                tar.File("usr/etc/a", "usr");
                tar.File("usr/etc/c", "usr");
                tar.File("usr/etc/d/b", "usr");
            }, tar => tar.File("etc/d/b", "later")))[..].Select(line => line.Length > 0 && line[0] == ' ' ? "/" + line : line));
    }

    [Theory]
    [InlineData("usr/.wh.etc")]
    [InlineData("usr/etc/.wh..wh..opq")]
    [InlineData("usr/.wh..wh..opq")]
    [InlineData(".wh.usr")]
    public void What_hides_usr_etc_leaves_etc_alone(string whiteout)
    {
        Action<TarWriter> both = tar =>
        {
            tar.File("usr/etc/a", "usr");
            tar.File("usr/etc/c", "usr");
        };
        Assert.Equal(["/a f 644 0 etc", "/d d 755 0", "/d/b f 644 0 etc"], Etc(Import(Base, both, tar => tar.File(whiteout)))[1..]);
        // Nor does it hide anything where nothing was there.
        Assert.Equal(["/a f 644 0 etc", "/d d 755 0", "/d/b f 644 0 etc"], Etc(Import(Base, tar => tar.File(whiteout)))[1..]);
    }

    [Theory]
    [InlineData(".wh.etc")]
    [InlineData("etc/.wh..wh..opq")]
    public void What_hides_etc_leaves_usr_etc_alone(string whiteout) =>
        Assert.Equal(["/c f 644 0 usr"], Etc(Import(Base, tar => tar.File("usr/etc/c", "usr"), tar => tar.File(whiteout)))[1..]);

    [Fact]
    public void One_name_is_hidden_in_the_one_that_is_meant()
    {
        Action<TarWriter> both = tar => tar.File("usr/etc/a", "usr");
        Assert.Contains("/a f 644 0 etc", Etc(Import(Base, both, tar => tar.File("usr/etc/.wh.a"))));
        Assert.Contains("/a f 644 0 usr", Etc(Import(Base, both, tar => tar.File("etc/.wh.a"))));
        Assert.DoesNotContain(Etc(Import(Base, both, tar =>
        {
            tar.File("etc/.wh.a");
            tar.File("usr/etc/.wh.a");
        })), line => line.StartsWith("/a ", StringComparison.Ordinal));
        // A whiteout and what takes its place, one in each.
        Assert.Contains("/a f 644 0 new", Etc(Import(Base, both, tar =>
        {
            tar.File("etc/.wh.a");
            tar.File("usr/etc/a", "new");
        })));
        Assert.Contains("/a f 644 0 new", Etc(Import(Base, both, tar =>
        {
            tar.File("usr/.wh.etc");
            tar.File("etc/a", "new");
        })));
    }

    [Fact]
    public void Everything_in_the_root_is_hidden_by_its_own_whiteouts() =>
        Assert.Equal(["/", "/usr", "/usr/etc", "/usr/etc/n"], Import(Base, tar => tar.File("usr/etc/c", "usr"), tar =>
        {
            tar.File(".wh..wh..opq");
            tar.File("etc/n");
        }).Keys);

    [Fact]
    public void Hard_links_lead_from_one_to_the_other()
    {
        var tree = Import(Base, tar =>
        {
            tar.File("usr/etc/one", "1");
            tar.HardLink("etc/two", "usr/etc/one");
            tar.HardLink("usr/etc/three", "etc/two");
            tar.HardLink("usr/etc/of-base", "etc/a");
            tar.HardLink("usr/lib/of-base", "etc/d/b");
            tar.HardLink("etc/later", "usr/etc/last");
            tar.File("usr/etc/last", "last");
        }, tar =>
        {
            tar.HardLink("etc/again", "usr/etc/one");
            tar.File("usr/.wh.etc");
        });
        Assert.Equal("f 644 0 etc", tree["/usr/lib/of-base"]);
        Assert.Equal(["/a f 644 0 etc", "/again f 644 0 1", "/d d 755 0", "/d/b f 644 0 etc", "/later f 644 0 last", "/two f 644 0 1"], Etc(tree)[1..]);
    }

    [Fact]
    public void Spellings_outlive_the_layers_being_stored_and_exported()
    {
        var image = new MemoryImage().AddTar(Base).AddTar(tar => tar.File("usr/etc/a", "usr")).AddTar(tar => tar.File("usr/.wh.etc"));
        var first = test.Import(image, "first");
        // The layers are here; another image with them fetches none.
        var more = new MemoryImage();
        for (var layer = 0; layer < 3; layer++)
        {
            more.AddBlob(image.Blob(layer), image.DiffId(layer));
        }

        more.AddTar(tar => tar.File("usr/more"));
        Assert.Equal("f 644 0 etc", test.Tree(test.Import(more, "more").MergeCommit)["/usr/etc/a"]);
        Assert.Equal(2, more.Opened.Count);

        var to = Registry.ImageReference.Parse($"oci:{test.Scratch["exported"]}:1");
        using (var destination = Registry.Images.OpenDestination(to, new Registry.RegistryOptions()))
        {
            Reexport.Run(test.Repo, TestRepo.Reference("first").Image, destination);
        }

        using var other = new TestRepo();
        using var importer = new ImageImporter(other.Repo, OstreeImageReference.Parse($"ostree-unverified-image:{to}"));
        Assert.Equal(test.Tree(first.MergeCommit), other.Tree(importer.Import(importer.Prepare()).MergeCommit));
    }
}
