namespace OciOstree.Container.Tests;

/// <summary>Directories that only one layer has are taken over whole, unless they hold whiteouts.</summary>
public class NewDirectoryTests
{
    [Fact]
    public void Whiteouts_of_nothing_leave_nothing_behind()
    {
        using var test = new TestRepo();
        var image = new MemoryImage();
        image.AddTar(tar => tar.File("usr/lower", "x"));
        image.AddTar(tar =>
        {
            tar.File("usr/new/plain/a", "a");
            tar.File("usr/new/plain/deep/b", "b");
            tar.File("usr/new/hiding/deep/.wh.gone");
            tar.File("usr/new/hiding/deep/kept", "k");
            tar.File("usr/new/opaque/.wh..wh..opq");
            tar.File("usr/new/opaque/c", "c");
            tar.File("usr/new/looks/like.wh.one", "l");
        });
        var tree = test.Tree(test.Import(image).MergeCommit);
        Assert.Equal(
            [
                "/", "/usr", "/usr/lower", "/usr/new", "/usr/new/hiding", "/usr/new/hiding/deep", "/usr/new/hiding/deep/kept", "/usr/new/looks", "/usr/new/looks/like.wh.one",
                "/usr/new/opaque", "/usr/new/opaque/c", "/usr/new/plain", "/usr/new/plain/a", "/usr/new/plain/deep", "/usr/new/plain/deep/b",
            ],
            tree.Keys);
        test.RequireSound();
    }

    [Fact]
    public void A_later_layer_changes_what_an_earlier_one_brought_whole()
    {
        using var test = new TestRepo();
        var image = new MemoryImage();
        image.AddTar(tar => tar.File("usr/lower", "x"));
        image.AddTar(tar =>
        {
            tar.File("usr/new/a", "a");
            tar.File("usr/new/deep/b", "b");
        });
        image.AddTar(tar =>
        {
            tar.File("usr/new/.wh.a");
            tar.File("usr/new/deep/b", "changed");
            tar.HardLink("usr/link", "usr/new/deep/b");
        });
        var tree = test.Tree(test.Import(image).MergeCommit);
        Assert.DoesNotContain("/usr/new/a", tree.Keys);
        Assert.EndsWith("changed", tree["/usr/new/deep/b"]);
        Assert.EndsWith("changed", tree["/usr/link"]);
    }
}
