using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>Package databases out of images, with no more of the layers fetched than that takes.</summary>
public sealed class PartOfImageTests
{
    private const string Status = "Package: bash\nStatus: install ok installed\nVersion: 5.2\n\n";

    [Fact]
    public void A_commits_database_is_read_out_of_its_own_layer()
    {
        using MemoryImage image = Encapsulated(Status);
        using RootTree tree = Part(image);
        Assert.Equal("bash 5.2", Assert.Single(PackageDatabases.Read(tree)).ToString());

        // The first layer for the directories, and the one that says it has the database: none of the other eight.
        Assert.Equal(2, image.Opened.Where(digest => digest != image.FetchManifest().Manifest.Config.Digest).Distinct().Count());
    }

    [Fact]
    public void A_derived_layer_replaces_and_removes()
    {
        using MemoryImage replaced = Encapsulated(Status);
        replaced.AddTar(tar => { tar.File("usr/share/dpkg/status", Status.Replace("5.2", "5.3", StringComparison.Ordinal)); tar.File("usr/bin/other", "x"); });
        using RootTree tree = Part(replaced);
        Assert.Equal("bash 5.3", Assert.Single(PackageDatabases.Read(tree)).ToString());

        using MemoryImage removed = Encapsulated(Status);
        removed.AddTar(tar => tar.File("usr/share/.wh.dpkg", ""));
        using RootTree empty = Part(removed);
        Assert.Empty(PackageDatabases.Read(empty));
    }

    [Fact]
    public void An_image_without_a_commit_is_read_whole()
    {
        var image = new MemoryImage();
        image.AddTar(tar => { tar.File("lib/apk/db/installed", "P:musl\nV:1\nA:x86_64\n"); tar.File("usr/bin/sh", "x"); })
            .AddTar(tar => tar.File("lib/apk/db/installed", "P:musl\nV:2\nA:x86_64\n"));
        using RootTree tree = Part(image);
        Assert.Equal("musl 2 (x86_64)", Assert.Single(PackageDatabases.Read(tree)).ToString());
    }

    [Fact]
    public void A_commit_other_than_the_label_says_is_refused()
    {
        using MemoryImage image = Encapsulated(Status);
        FetchedManifest fetched = image.FetchManifest();
        ImageConfig config = image.FetchConfig(fetched.Manifest);
        var labels = new Dictionary<string, string>(config.Labels) { ["ostree.commit"] = new string('0', 64) };
        config = config with { Config = config.Config! with { Labels = labels } };
        var e = Assert.Throws<ContainerException>(() => RootTree.PartOfImage(image, fetched.Manifest, config, PackageDatabases.IsPart));
        Assert.Contains("not 0000", e.InnerException!.Message);
    }

    [Fact]
    public void Layers_that_were_tampered_with_are_refused()
    {
        foreach (bool isDerived in new[] { false, true })
        {
            using MemoryImage image = Encapsulated(Status);
            image.AddTar(tar => tar.File("usr/share/dpkg/status", "Package: evil\nVersion: 1\n"));
            image.Tamper(isDerived ? image.FetchManifest().Manifest.Layers.Count - 1 : 0, _ => MemoryImage.Compress(MemoryImage.Tar(tar => tar.File("usr/share/dpkg/status", "Package: worse\nVersion: 1\n"))));
            Assert.Throws<ContainerException>(() => Part(image).Dispose());
        }
    }

    [Fact]
    public void The_commit_is_read_without_the_layer()
    {
        using MemoryImage image = Encapsulated(Status);
        FetchedManifest fetched = image.FetchManifest();
        (Checksum Checksum, Commit Commit)? commit = EncapsulatedCommit.Read(image, fetched.Manifest, image.FetchConfig(fetched.Manifest));
        Assert.Equal(image.FetchConfig(fetched.Manifest).Labels["ostree.commit"], commit!.Value.Checksum.ToString());
    }

    private static RootTree Part(MemoryImage image)
    {
        FetchedManifest fetched = image.FetchManifest();
        return RootTree.PartOfImage(image, fetched.Manifest, image.FetchConfig(fetched.Manifest), PackageDatabases.IsPart);
    }

    /// <summary>A commit with a package database, encapsulated by us.</summary>
    private static MemoryImage Encapsulated(string status)
    {
        using var repo = new TestRepo();
        Checksum commit = repo.CommitFiles(
            ("usr/share/dpkg/status", status), ("usr/share/dpkg/info/bash.list", "/usr/bin/bash\n"), ("usr/bin/bash", new string('b', 5000)),
            ("usr/lib/one/file", "1"), ("usr/lib/two/file", "2"), ("usr/lib/three/file", "3"), ("usr/etc/passwd", "root:x:0:0::/:\n"));
        string path = repo.Scratch["image.ociarchive"];
        using (IImageDestination destination = Images.OpenDestination(ImageReference.Parse($"oci-archive:{path}")))
        {
            OciOstree.Container.Encapsulation.Run(repo.Repo, commit, destination, new EncapsulateOptions(), TransferProgress.None, CancellationToken.None);
        }

        return MemoryImage.FromArchive(path);
    }
}
