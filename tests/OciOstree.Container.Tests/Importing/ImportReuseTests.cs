using System.IO.Compression;
using OciOstree.Formats.Compression;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>What is in the repository is not fetched again: by name, by digest, by content, and after an interruption.</summary>
public sealed class ImportReuseTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private static MemoryImage Layers(params string[] contents)
    {
        var image = new MemoryImage();
        foreach (var content in contents)
        {
            image.AddTar(tar => tar.File($"usr/{content}", content));
        }

        return image;
    }

    [Fact]
    public void AnUpdateFetchesOnlyTheNewLayers()
    {
        test.Import(Layers("a", "b", "c"));
        var update = Layers("a", "b", "d");
        var result = test.Import(update);
        Assert.Equal([result.Manifest.Config.Digest, update.Layer(2).Digest], update.Opened);
        Assert.Equal(["/", "/usr", "/usr/a", "/usr/b", "/usr/d"], test.Tree(result.MergeCommit).Keys);
    }

    [Fact]
    public void LayersThatNoImageUsesLoseTheirRefs()
    {
        var first = Layers("a", "b");
        test.Import(first);
        test.Import(Layers("a", "c"));
        Assert.DoesNotContain(ImageRefs.ForLayer(first.Layer(1).Digest), test.Repo.ListRefs().Keys);
        Assert.Contains(ImageRefs.ForLayer(first.Layer(0).Digest), test.Repo.ListRefs().Keys);
    }

    [Fact]
    public void LayersOfDeploymentsAndBasesKeepTheirRefs()
    {
        var first = Layers("a", "b");
        var merge = test.Import(first).MergeCommit;
        using (var transaction = test.Repo.BeginTransaction())
        {
            transaction.SetRef("ostree/container/baseimage/test/0", merge);
            transaction.Commit();
        }

        test.Import(Layers("c"));
        Assert.Contains(ImageRefs.ForLayer(first.Layer(1).Digest), test.Repo.ListRefs().Keys);
    }

    [Fact]
    public void TheSameContentCompressedAnotherWayIsReused()
    {
        test.Import(Layers("a"));
        var tar = MemoryImage.Tar(writer => writer.File("usr/a", "a"));
        var recompressed = new MemoryImage().AddTar(tar, CompressionLevel.NoCompression).AddTar(writer => writer.File("usr/b", "b"));
        Assert.NotEqual(Layers("a").Layer(0).Digest, recompressed.Layer(0).Digest);
        Assert.Equal([recompressed.Layer(1).Digest], ToFetch(Layers("a"), recompressed));
        Assert.Equal([recompressed.Layer(0).Digest], ToFetch(Layers("b"), recompressed));
        Assert.Empty(ToFetch(Layers("a", "b"), recompressed));
        test.Import(recompressed, "other");
        Assert.DoesNotContain(recompressed.Layer(0).Digest, recompressed.Opened);
        Assert.Contains(ImageRefs.ForLayer(recompressed.Layer(0).Digest), test.Repo.ListRefs().Keys);

        static Digest[] ToFetch(MemoryImage old, MemoryImage now)
        {
            var (before, after) = (old.FetchManifest().Manifest, now.FetchManifest().Manifest);
            return [.. LayerChanges.Between(before, after).ToFetch(old.FetchConfig(before), after, now.FetchConfig(after)).Select(layer => layer.Digest)];
        }
    }

    [Fact]
    public void WhatAnImageSaysOfALayerThatIsHereIsProvenBeforeOthersGetTheLayerForIt()
    {
        MemoryImage good = Layers("good"), evil = Layers("evil");
        test.Import(evil, "first");
        // The same blob, under the diff id of another image's layer.
        var lying = new MemoryImage().AddBlob(evil.Blob(0), good.DiffId(0));
        var e = Assert.Throws<ContainerException>(() => test.Import(lying, "lying"));
        Assert.Contains("uncompressed digest is", e.InnerException!.InnerException!.Message);
        Assert.Equal("f 644 0 good", test.Tree(test.Import(new MemoryImage().AddBlob(MemoryImage.Compress(MemoryImage.Tar(tar => tar.File("usr/good", "good")), CompressionLevel.NoCompression), good.DiffId(0)), "victim").MergeCommit)["/usr/good"]);

        // Nor what is left of a pull that ended before all was there.
        using var other = new TestRepo();
        var broken = Layers("evil", "broken");
        broken.Tamper(1, blob => blob[..^9]);
        Assert.Throws<ContainerException>(() => other.Import(broken, "broken", new ImportOptions { Parallelism = 1 }));
        Assert.Throws<ContainerException>(() => other.Import(lying, "lying"));
    }

    [Fact]
    public void AnImageThatCameInGzipIsNotFetchedAgainInZstd()
    {
        var commit = test.CommitFiles(("usr/bin/tool", "tool"), ("usr/lib/modules/6.1/vmlinuz", new string('k', 100_000)), ("usr/etc/conf", "default"));
        MemoryImage gzip = Made(), zstd = new();
        for (var index = 0; index < gzip.FetchManifest().Manifest.Layers.Count; index++)
        {
            using var tar = new MemoryStream();
            using (var content = Decompressor.Open(new MemoryStream(gzip.Blob(index))))
            {
                content.CopyTo(tar);
            }

            using var compressed = new MemoryStream();
            using (var compressor = new ZstdCompressor(compressed))
            {
                compressor.Write(tar.ToArray());
            }

            zstd.AddBlob(compressed.ToArray(), gzip.DiffId(index), "application/vnd.oci.image.layer.v1.tar+zstd");
        }

        foreach (var (key, value) in gzip.Labels)
        {
            zstd.Labels[key] = value;
        }

        using var other = new TestRepo();
        var first = other.Import(gzip, "gzip");
        var second = other.Import(zstd, "zstd");
        Assert.Equal([second.Manifest.Config.Digest], zstd.Opened);
        Assert.Equal(commit, second.BaseCommit);
        Assert.Equal(other.Repo.ReadCommit(first.MergeCommit).RootTree, other.Repo.ReadCommit(second.MergeCommit).RootTree);

        // Each name for a layer holds it by itself.
        var store = new ImageStore(other.Repo);
        store.Remove(TestRepo.Reference("gzip").Image);
        Assert.Equal(first.Manifest.Layers.Count, store.PruneLayers());
        other.Repo.Prune(new PruneOptions { RefsOnly = true, Depth = 0 });
        other.RequireSound();

        MemoryImage Made() => MemoryImage.Encapsulated(test.Repo, commit, test.Scratch["layout"]).AddTar(tar => tar.File("usr/bin/derived", "derived"));
    }

    [Fact]
    public void AnInterruptedImportGoesOnWhereItWas()
    {
        var image = Layers("a", "b", "c", "d");
        var last = image.Layer(3).Digest;
        image.OnOpen = digest =>
        {
            if (digest == last)
            {
                throw new RegistryException("connection reset");
            }
        };
        var before = test.VisibleState();
        Assert.Throws<ContainerException>(() => test.Import(image, options: new ImportOptions { Parallelism = 1 }));
        Assert.Equal(before, test.VisibleState());

        var again = Layers("a", "b", "c", "d");
        test.Import(again);
        Assert.Equal([again.FetchManifest().Manifest.Config.Digest, last], again.Opened);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(test.Path, "extensions")));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(test.Path, "tmp"), "staging-*"));
        test.RequireSound();
    }

    [Fact]
    public void WhatIsLostOfAnInterruptedImportIsFetchedAgain()
    {
        var image = Layers("a", "b");
        var last = image.Layer(1).Digest;
        image.OnOpen = digest =>
        {
            if (digest == last)
            {
                throw new RegistryException("connection reset");
            }
        };
        Assert.Throws<ContainerException>(() => test.Import(image, options: new ImportOptions { Parallelism = 1 }));
        Tool.Shell("rm -rf tmp/staging-*", test.Path).Ok();

        var again = Layers("a", "b");
        var merge = test.Import(again).MergeCommit;
        Assert.Equal(3, again.Opened.Count);
        Assert.Equal(["/", "/usr", "/usr/a", "/usr/b"], test.Tree(merge).Keys);
        test.RequireSound();
    }

    [Fact]
    public void AnUpdateThatWasSeenIsRememberedUntilItIsImported()
    {
        test.Import(Layers("a"));
        var update = Layers("b");
        using (var importer = new ImageImporter(test.Repo, TestRepo.Reference("test"), null, update))
        {
            var plan = importer.Prepare();
            Assert.NotNull(plan.Previous);
            Assert.Equal(update.Layer(0).Size, plan.BytesToFetch);
        }

        var store = new ImageStore(test.Repo);
        Assert.Equal(update.FetchManifest().Digest, store.Require(TestRepo.Reference("test").Image).CachedUpdate?.ManifestDigest);
        store.ClearCachedUpdate(TestRepo.Reference("test").Image);
        Assert.Null(store.Require(TestRepo.Reference("test").Image).CachedUpdate);
        test.Import(Layers("b"));
        Assert.Null(store.Require(TestRepo.Reference("test").Image).CachedUpdate);
    }

    [Fact]
    public void WithoutAnImageRefOnlyLayersAreHeld()
    {
        var image = Layers("a");
        test.Import(image, options: new ImportOptions { WriteImageRef = false, PruneLayers = false });
        Assert.Equal([ImageRefs.ForLayer(image.Layer(0).Digest)], test.Repo.ListRefs().Keys);
    }

    [Fact]
    public void ManyLayersInParallelAreTheSameAsOneByOne()
    {
        string[] names = [.. Enumerable.Range(0, 60).Select(i => $"file-{i}")];
        var sequential = test.Import(Layers(names), "one", new ImportOptions { Parallelism = 1 });
        using var other = new TestRepo(RepoMode.Archive);
        Assert.Equal(sequential.MergeCommit, other.Import(Layers(names), "two", new ImportOptions { Parallelism = 8 }).MergeCommit);
    }

    [Fact]
    public void StoreListsQueriesAndRemoves()
    {
        var store = new ImageStore(test.Repo);
        test.Import(Layers("a", "b"), "one");
        test.Import(Layers("a"), "two");
        Assert.Equal(["dir:/one", "dir:/two"], store.List().Select(image => image.ToString()));
        var one = store.Require(TestRepo.Reference("one").Image);
        Assert.Equal(["step 1\nwith a line break", "step 2\nwith a line break"], ImageStore.History(one).Select(layer => layer.Entry?.CreatedBy));
        Assert.Equal(one.ConfigJson, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(one.ConfigJson)));

        var e = Assert.Throws<ContainerException>(() => store.Remove([TestRepo.Reference("one").Image, TestRepo.Reference("three").Image]));
        Assert.Equal("missing images: dir:/three", e.Message);
        Assert.Equal(1, store.PruneLayers());
        Assert.Null(store.Query(TestRepo.Reference("one").Image));
        Assert.Equal(2, test.Repo.ListRefs().Count);
    }

    [Fact]
    public void BootableIsRequiredWhereAskedFor()
    {
        var options = new ImportOptions { RequireBootable = true };
        var e = Assert.Throws<ContainerException>(() => test.Import(Layers("a"), options: options));
        Assert.Equal("target image does not have ostree.bootable label", e.InnerException!.Message);
        var before = test.VisibleState();
        var bootable = Layers("a");
        bootable.Labels["containers.bootc"] = "1";
        e = Assert.Throws<ContainerException>(() => test.Import(bootable, options: options));
        Assert.StartsWith("the image has no kernel", e.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal(before, test.VisibleState());
        bootable = Layers("a").AddTar(tar => tar.File("usr/lib/modules/6.1/vmlinuz", "kernel"));
        bootable.Labels["containers.bootc"] = "1";
        test.Import(bootable, options: options);
    }
}
