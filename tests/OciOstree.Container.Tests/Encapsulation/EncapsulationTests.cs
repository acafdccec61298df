using OciOstree.Formats.GVariant;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests.Encapsulation;

public sealed class EncapsulationTests : IDisposable
{
    private readonly EncapsulationFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void MetadataBecomesLabels()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo, [("usr/a", "a")], new()
        {
            ["version"] = Variant.String("1.2"),
            ["ostree.bootable"] = Variant.Boolean(true),
            ["ostree.linux"] = Variant.String("6.1"),
            ["ostree.container-cmd"] = Variant.Strings(["/sbin/init", "x"]),
            ["my.key"] = Variant.String("mine"),
            ["number"] = Variant.UInt32(7),
        });

        EncapsulationResult made = fixture.Encapsulate(repo, commit, "a", new EncapsulateOptions
        {
            CopyMetadata = ["my.key"],
            CopyOptionalMetadata = ["missing"],
            Labels = new Dictionary<string, string> { ["extra"] = "e", ["ostree.linux"] = "mine" },
            Config = new ContainerConfig { Env = ["A=b"], Labels = new Dictionary<string, string> { ["base"] = "x" } },
        });

        Assert.Equal("1.2", made.Config.Labels["org.opencontainers.image.version"]);
        Assert.Equal(("true", "1"), (made.Config.Labels["ostree.bootable"], made.Config.Labels["containers.bootc"]));
        Assert.Equal("mine", made.Config.Labels["my.key"]);
        Assert.Equal("mine", made.Config.Labels["ostree.linux"]);
        Assert.Equal("e", made.Config.Labels["extra"]);
        Assert.Equal("x", made.Config.Labels["base"]);
        Assert.Equal(commit.ToString(), made.Config.Labels["ostree.commit"]);
        Assert.Equal(made.Config.DiffIds[^1].ToString(), made.Config.Labels["ostree.final-diffid"]);
        Assert.Equal(["/sbin/init", "x"], made.Config.Config!.Cmd!);
        Assert.Equal(["A=b"], made.Config.Config.Env!);
        Assert.Equal("2023-11-14T22:13:20Z", made.Config.Created);
        Assert.Equal($"ostree export of commit {commit}", made.Config.History[0].CreatedBy);

        made = fixture.Encapsulate(repo, commit, "b", new EncapsulateOptions { Command = ["other"] });
        Assert.Equal(["other"], made.Config.Config!.Cmd!);
        Assert.Contains("missing", Assert.Throws<ContainerException>(() => fixture.Encapsulate(repo, commit, "c", new EncapsulateOptions { CopyMetadata = ["missing"] })).Message);
        Assert.Contains("type u", Assert.Throws<ContainerException>(() => fixture.Encapsulate(repo, commit, "c", new EncapsulateOptions { CopyOptionalMetadata = ["number"] })).Message);
    }

    [Fact]
    public void WhatComesOutGoesBackIn()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo,
        [
            ("usr/etc/passwd", "root"), ("usr/etcetera", "no etc"), ("usr/lib/modules/6.1/vmlinuz", "k"), ("usr/lib/modules/6.1/initramfs.img", "i"),
            ("usr/empty", ""), ("usr/same1", "same"), ("usr/same2", "same"), ("sysroot/own/file", "in sysroot"), ("sysroot/empty/x", ""),
            ("long", "-> " + new string('x', 200)), ("slashes", "-> a//b/./c/"), ("exact", "-> " + new string('y', 100)),
            ("usr/" + new string('d', 120) + "/" + new string('ü', 100), "long name"), ("var/tmp/kept", "var"), ("top", "-> usr/a,b"), ("usr/a,b/c", "comma"),
        ], subject: "two\nlines");
        foreach (int maxLayers in new[] { 1, 2, 3, 4, 5, 64 })
        {
            EncapsulationResult made = fixture.Encapsulate(repo, commit, $"m{maxLayers}", new EncapsulateOptions { MaxLayers = maxLayers });
            Assert.InRange(made.Layers.Count, 1, maxLayers);
            using Repo back = fixture.CreateRepo($"back{maxLayers}", RepoMode.BareUser);
            using var importer = new ImageImporter(back, OstreeImageReference.Parse($"ostree-unverified-image:oci:{fixture[$"m{maxLayers}"]}"));
            Assert.Equal(commit, importer.Unencapsulate());
            Assert.Equal(CommitContent.Read(repo, commit).Objects.Select(o => (o.Checksum, o.Size)), CommitContent.Read(back, commit).Objects.Select(o => (o.Checksum, o.Size)));
        }

        string layer = fixture.List("m1", fixture.Read(new ImageReference(Transport.Oci, fixture["m1"])).Manifest.Layers[0]);
        Assert.Single(layer.Split('\n'), l => l.Contains(" Directory var/tmp "));
        Assert.DoesNotContain("Directory sysroot/own", layer);
        Assert.Contains("HardLink etc/passwd ", layer);
        Assert.Contains("HardLink usr/etcetera ", layer);
        Assert.Contains(" File usr/empty ", layer);
    }

    [Fact]
    public void DetachedMetadataFollowsItsCommit()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo, [("usr/a", "a")]);
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            transaction.WriteCommitMeta(commit, Variant.Dictionary([new("sig", Variant.String("x"))]));
            transaction.Commit();
        }

        EncapsulationResult made = fixture.Encapsulate(repo, commit, "a");
        string[] lines = fixture.List("a", made.Manifest.Layers[0]).Split('\n');
        int at = Array.FindIndex(lines, l => l.Contains($".commit "));
        Assert.Contains(".commitmeta ", lines[at + 1]);
        Assert.Contains(".dirmeta ", lines[at + 2]);
    }

    [Fact]
    public void AMissingObjectLeavesNoImage()
    {
        using Repo repo = fixture.CreateRepo(mode: RepoMode.BareUser);
        Checksum commit = EncapsulationFixture.Commit(repo, [("usr/a", "a"), ("usr/b/c", "c")]);
        ContentObject gone = CommitContent.Read(repo, commit).Find("usr/b", "c")!;
        string hex = gone.Checksum.ToString();
        string path = Path.Combine(fixture["repo"], "objects", hex[..2], hex[2..] + ".file");
        byte[] content = File.ReadAllBytes(path);
        File.WriteAllText(path, "d");
        Exception damaged = Assert.ThrowsAny<Exception>(() => fixture.Encapsulate(repo, commit, "out"));
        Assert.Contains("usr/b/c", damaged.Message);
        File.Delete(path);
        Assert.ThrowsAny<Exception>(() => fixture.Encapsulate(repo, commit, "out"));
        Assert.Empty(Directory.Exists(fixture["out/blobs/sha256"]) ? Directory.GetFiles(fixture["out/blobs/sha256"]).Where(f => File.ReadAllText(f).Contains("\"layers\"")) : []);
        Assert.NotEmpty(content);
    }

    [Theory]
    [InlineData(3000, 1)] // deep
    [InlineData(40, 2)]   // 2^40 paths in 41 objects
    public void ATreeThatOnlyGrowsOnPaperIsRefused(int levels, int width)
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit;
        using (RepoTransaction transaction = repo.BeginTransaction())
        {
            Checksum meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ed, XattrSet.Empty));
            Checksum tree = transaction.WriteDirTree(DirTree.Empty);
            for (int i = 0; i < levels; i++)
            {
                Checksum below = tree;
                tree = transaction.WriteDirTree(DirTree.From([], Enumerable.Range(0, width).Select(n => new DirTreeDirectory($"{n}", below, meta))));
            }

            commit = transaction.WriteCommit(new Commit { RootTree = tree, RootMeta = meta });
            transaction.Commit();
        }

        Assert.Contains("more than", Assert.Throws<ContainerException>(() => fixture.Encapsulate(repo, commit, "out")).Message);
    }

    [Fact]
    public void ACancelledRunStops()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo, [("usr/a", "a")]);
        using IImageDestination destination = Images.OpenDestination(new ImageReference(Transport.Oci, fixture["out"]));
        Assert.ThrowsAny<OperationCanceledException>(
            () => Container.Encapsulation.Run(repo, commit, destination, new EncapsulateOptions(), TransferProgress.None, new CancellationToken(canceled: true)));
    }
}
