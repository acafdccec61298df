using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>What was imported comes out again as what it was.</summary>
public sealed class ReexportTests
{
    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", name);

    [Theory]
    [InlineData("alpha-single.ociarchive", RepoMode.Bare)]
    [InlineData("alpha-chunked.ociarchive", RepoMode.Archive)]
    [InlineData("alpha-derived.ociarchive", RepoMode.BareUser)]
    public void A_peers_layers_keep_their_diff_ids(string name, RepoMode mode)
    {
        using var test = new TestRepo(mode);
        ImportedImage imported = test.Import(MemoryImage.FromArchive(Golden(name)));
        using MemoryImage again = Export(test, out Digest _);

        FetchedManifest fetched = again.FetchManifest();
        ImageConfig config = again.FetchConfig(fetched.Manifest);
        int kept = EncapsulatedCommit.KindsOf(imported.Manifest, imported.Config).Count(kind => kind != LayerKind.Derived);
        Assert.Equal(imported.Config.DiffIds.Take(kept), config.DiffIds.Take(kept));
        Assert.Equal(imported.Config.History.Select(entry => entry.CreatedBy), config.History.Select(entry => entry.CreatedBy));
        Assert.Equal(imported.Config.Labels, config.Labels);
        Assert.Equal(imported.Manifest.Layers.Select(layer => layer.Annotations?.Count ?? 0), fetched.Manifest.Layers.Select(layer => layer.Annotations?.Count ?? 0));

        // In another repository the same tree comes of it, and the same commits of its layers.
        using var other = new TestRepo();
        ImportedImage second = other.Import(again);
        Assert.Equal(imported.BaseCommit, second.BaseCommit);
        Assert.Equal(test.Tree(imported.MergeCommit), other.Tree(second.MergeCommit));
        Assert.Equal(imported.Manifest.Layers.Select(layer => test.Repo.ResolveRef(ImageRefs.ForLayer(layer.Digest))), second.Manifest.Layers.Select(layer => other.Repo.ResolveRef(ImageRefs.ForLayer(layer.Digest))));
        other.RequireSound();

        // And from there on nothing changes any more.
        Export(other, out Digest third).Dispose();
        Assert.Equal(fetched.Digest, third);
    }

    [Fact]
    public void Everything_that_a_layer_can_say_is_said_again()
    {
        using var test = new TestRepo();
        var image = new MemoryImage();
        image.AddTar(tar =>
        {
            tar.File("usr/bin/base", "base");
            tar.File("usr/lib/gone", "x");
            tar.File("etc/conf", "default");
            tar.Directory("usr/share/opaque", 0x1c0, uid: 3);
            tar.File("usr/share/opaque/old", "x");
        });
        image.AddTar(tar =>
        {
            tar.Directory("etc", 0x1ed);
            tar.File("etc/conf", "changed", mode: 0x180, uid: 7);
            tar.File("usr/lib/.wh.gone");
            tar.File("usr/share/opaque/.wh..wh..opq");
            tar.File("usr/share/opaque/new", "new");
            tar.Symlink("usr/bin/link", "../lib/ünï");
            tar.HardLink("usr/bin/twin", "usr/bin/base");
            tar.File("usr/" + new string('n', 200), "long name");
            tar.File("usr/bin/capable", "x", 0x9ed, xattrs: new TarXattr("user.test"u8.ToArray(), [1, 0, 0xff, (byte)'\n']));
            tar.File("usr/.wh.local");
        });
        ImportedImage imported = test.Import(image);
        using MemoryImage again = Export(test, out _);
        using var other = new TestRepo();
        ImportedImage second = other.Import(again);
        Assert.Equal(test.Tree(imported.MergeCommit), other.Tree(second.MergeCommit));
        Assert.Contains("/usr/bin/twin", other.Tree(second.MergeCommit).Keys);
        Assert.DoesNotContain("/usr/lib/gone", other.Tree(second.MergeCommit).Keys);
        Assert.Equal(imported.Manifest.Layers.Select(layer => test.Repo.ResolveRef(ImageRefs.ForLayer(layer.Digest))), second.Manifest.Layers.Select(layer => other.Repo.ResolveRef(ImageRefs.ForLayer(layer.Digest))));
    }

    [Fact]
    public void An_image_of_ours_keeps_its_digest()
    {
        using var test = new TestRepo();
        Checksum commit = test.CommitFiles(("usr/bin/sh", "shell"), ("usr/etc/passwd", "root"), ("usr/lib/modules/6.1/vmlinuz", new string('k', 100_000)));
        string path = test.Scratch["made.ociarchive"];
        Digest digest;
        using (IImageDestination destination = Images.OpenDestination(ImageReference.Parse($"oci-archive:{path}")))
        {
            digest = OciOstree.Container.Encapsulation.Run(test.Repo, commit, destination, new EncapsulateOptions(), TransferProgress.None, CancellationToken.None).Digest;
        }

        using var other = new TestRepo();
        other.Import(MemoryImage.FromArchive(path));
        Export(other, out Digest again).Dispose();
        Assert.Equal(digest, again);
    }

    [Fact]
    public void An_image_whose_layers_are_gone_is_refused()
    {
        using var test = new TestRepo();
        ImportedImage imported = test.Import(MemoryImage.FromArchive(Golden("alpha-derived.ociarchive")));
        using (RepoTransaction transaction = test.Repo.BeginTransaction())
        {
            transaction.SetRef(ImageRefs.ForLayer(imported.Manifest.Layers[^1].Digest), null);
            transaction.Commit();
        }

        var e = Assert.Throws<ContainerException>(() => Export(test, out _));
        Assert.Contains("not in the repository any more", e.InnerException!.Message);
        Assert.False(File.Exists(test.Scratch["again.ociarchive"]));
    }

    private static MemoryImage Export(TestRepo test, out Digest digest)
    {
        string path = test.Scratch["again.ociarchive"];
        using (IImageDestination destination = Images.OpenDestination(ImageReference.Parse($"oci-archive:{path}")))
        {
            digest = Reexport.Run(test.Repo, TestRepo.Reference("test").Image, destination);
        }

        return MemoryImage.FromArchive(path);
    }
}
