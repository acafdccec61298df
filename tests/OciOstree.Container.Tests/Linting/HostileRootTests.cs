using OciOstree.Registry;

namespace OciOstree.Container.Tests;

/// <summary>Images that were made to break who only looks at them.</summary>
public class HostileRootTests
{
    [Fact]
    public void Names_that_lead_upwards_stay_in_the_tree()
    {
        using RootTree tree = Read(image => image.AddTar(tar =>
        {
            tar.File("../../../etc/passwd", "x");
            tar.File("/usr//./bin/../lib/file", "y");
            tar.Symlink("usr/up", "../../../../..");
        }));
        Assert.Equal(["/", "/etc", "/etc/passwd", "/usr", "/usr/lib", "/usr/lib/file", "/usr/up"], tree.Root.Walk().Select(node => node.Path));
        Assert.Same(tree.Root, tree.Resolve("usr/up"));
        Assert.NotNull(Lints.Run(tree));
    }

    [Fact]
    public void A_link_to_nowhere_is_an_error()
    {
        var e = Assert.Throws<ContainerException>(() => Read(image => image.AddTar(tar => tar.HardLink("usr/x", "usr/nowhere"))));
        Assert.Contains("no file of the image", e.InnerException!.Message);
        Assert.Throws<ContainerException>(() => Read(image => image.AddTar(tar => { tar.Directory("usr"); tar.HardLink("x", "usr"); })));
    }

    [Fact]
    public void What_is_broken_off_is_an_error()
    {
        byte[] bytes = MemoryImage.Tar(tar =>
        {
            tar.File("usr/a", new string('a', 3000));
            tar.File("etc/passwd", "root:x:0:0::/:\n");
        });
        for (int length = 512; length < bytes.Length - 1024; length += 512)
        {
            // The digests are those of what there is: only the format tells.
            Assert.Throws<ContainerException>(() => Read(image => image.AddTar(bytes[..length])));
        }
    }

    [Fact]
    public void Deep_and_long_names_are_an_error()
    {
        Assert.Throws<ContainerException>(() => Read(image => image.AddTar(tar => tar.File(string.Join('/', Enumerable.Repeat("d", 1500)), "x"))));
        Assert.Throws<ContainerException>(() => Read(image => image.AddTar(tar => tar.File(new string('n', 5000), "x"))));
    }

    [Fact]
    public void A_file_in_the_place_of_a_directory_hides_it()
    {
        using RootTree tree = Read(image => image.AddTar(tar => tar.File("usr/d/inner", "x")).AddTar(tar => tar.File("usr/d", "now a file")).AddTar(tar => tar.File("usr/d/again", "y")));
        Assert.Equal(["/", "/usr", "/usr/d", "/usr/d/again"], tree.Root.Walk().Select(node => node.Path));
    }

    [Theory]
    [InlineData("usr/lib/tmpfiles.d/x.conf", "d \"unfinished\n\\\nd\nC \\x\nd \\xzz\n")]
    [InlineData("usr/lib/sysusers.d/x.conf", "u\nu \"\nm a\ng\n")]
    [InlineData("etc/passwd", ":::\n:x:1\nroot\nx:x:99999999999:1\n\0\0\0\n")]
    [InlineData("usr/lib/bootc/kargs.d/x.toml", "[[[\nkargs = \0")]
    [InlineData("usr/lib/ostree/prepare-root.conf", "\0\0[\n=\n")]
    public void Configuration_that_makes_no_sense_stops_nothing(string path, string content)
    {
        using RootTree tree = Read(image => image.AddTar(tar =>
        {
            tar.File("etc/passwd", "root:x:0:0::/:\n");
            tar.File(path, content);
            tar.Directory("var/lib/x");
        }));
        Assert.NotEmpty(Lints.Run(tree).Findings);
    }

    private static RootTree Read(Action<MemoryImage> make)
    {
        var image = new MemoryImage();
        make(image);
        Manifest manifest = image.FetchManifest().Manifest;
        return RootTree.FromImage(image, manifest, image.FetchConfig(manifest), Lints.Reads);
    }
}
