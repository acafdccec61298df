using System.Text;
using OciOstree.Formats.Compression;
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

        // In another repository the same tree comes of it, and the same trees of its layers: of what was left out, nothing is to be left out again.
        using var other = new TestRepo();
        ImportedImage second = other.Import(again);
        Assert.Equal(imported.BaseCommit, second.BaseCommit);
        Assert.Equal(test.Tree(imported.MergeCommit), other.Tree(second.MergeCommit));
        Assert.Equal(imported.Manifest.Layers.Select(layer => TreeOf(test, layer)), second.Manifest.Layers.Select(layer => TreeOf(other, layer)));
        other.RequireSound();

        // And from there on nothing changes any more.
        Export(other, out Digest third).Dispose();
        Assert.Equal(fetched.Digest, third);

        static Checksum TreeOf(TestRepo repo, Descriptor layer) => repo.Repo.ReadCommit(repo.Repo.ResolveRequired(ImageRefs.ForLayer(layer.Digest))).RootTree;
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
    public void One_file_under_several_names_stays_one_and_equal_files_stay_several()
    {
        using var test = new TestRepo();
        var image = new MemoryImage();
        image.AddTar(tar =>
        {
            tar.HardLink("usr/bin/early", "usr/lib/z"); // its target comes later
            tar.File("usr/lib/z", "linked");
            tar.HardLink("etc/conf", "usr/lib/z");
            tar.File("usr/lib/empty");
            tar.HardLink("usr/lib/empty-too", "usr/lib/empty");
            tar.Symlink("usr/lib/link", "z");
            tar.HardLink("usr/lib/link-too", "usr/lib/link");
            tar.File("usr/equal-1", "equal");
            tar.File("usr/equal-2", "equal");
            tar.HardLink("usr/gone", "usr/equal-1");
            tar.File("usr/gone", "overwritten");
        });
        ImportedImage imported = test.Import(image);
        using MemoryImage again = Export(test, out Digest digest);
        using var layer = new MemoryStream(again.Blob(0));
        using Stream content = Decompressor.Open(layer, leaveOpen: true);
        var links = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var tar = new TarReader(content); tar.Next() is { } entry;)
        {
            if (entry.Type == TarEntryType.HardLink)
            {
                links.Add(Encoding.UTF8.GetString(entry.Name), Encoding.UTF8.GetString(entry.LinkName));
            }
        }

        Assert.Equal(["etc/conf=usr/bin/early", "usr/lib/empty-too=usr/lib/empty", "usr/lib/link-too=usr/lib/link", "usr/lib/z=usr/bin/early"], links.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));
        using var other = new TestRepo();
        ImportedImage second = other.Import(again);
        Assert.Equal(test.Tree(imported.MergeCommit), other.Tree(second.MergeCommit));
        Export(other, out Digest third).Dispose();
        Assert.Equal(digest, third);
    }

    [Fact]
    public void An_image_on_a_base_of_ours_keeps_the_layers_of_the_base()
    {
        using var test = new TestRepo();
        Checksum commit = test.CommitFiles(("usr/bin/sh", "shell"), ("usr/etc/passwd", "root"), ("usr/lib/modules/6.1/vmlinuz", new string('k', 100_000)));
        MemoryImage image = MemoryImage.Encapsulated(test.Repo, commit, test.Scratch["layout"]);
        int ofBase = image.FetchManifest().Manifest.Layers.Count;
        Digest[] before = [.. image.FetchManifest().Manifest.Layers.Select(layer => layer.Digest)];
        image = MemoryImage.Encapsulated(test.Repo, commit, test.Scratch["layout"]).AddTar(tar =>
        {
            tar.File("usr/bin/new", "new");
            tar.HardLink("usr/bin/newer", "usr/bin/new");
        });

        // Imported, exported, imported and exported: the base's layers are the same blobs all the way, the merged tree the same tree.
        using var one = new TestRepo();
        ImportedImage imported = one.Import(image);
        using MemoryImage again = Export(one, out Digest digest);
        Assert.Equal(before, again.FetchManifest().Manifest.Layers.Take(ofBase).Select(layer => layer.Digest));
        using var two = new TestRepo(RepoMode.Archive);
        ImportedImage second = two.Import(again);
        Assert.Equal(commit, second.BaseCommit);
        Assert.Equal(one.Repo.ReadCommit(imported.MergeCommit).RootTree, two.Repo.ReadCommit(second.MergeCommit).RootTree);
        Export(two, out Digest third).Dispose();
        Assert.Equal(digest, third);
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
