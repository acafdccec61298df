using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

public sealed class RepairTests
{
    [Fact]
    public void Numbers_collide_where_their_lower_halves_are_the_same()
    {
        List<string> told = [];
        InodeCheck check = InodeCheck.Compare(
            new() { [7] = "small", [8] = "other" },
            [(0x1_0000_0007, "large"), (0x2_0000_0007, "larger"), (0x1_0000_0009, "alone")],
            (inode, checksum, other) => told.Add($"{inode:x} {checksum} {other}"));
        Assert.Equal((3, 2), (check.Inode64, check.Inode32));
        Assert.Equal([0x1_0000_0007UL, 0x2_0000_0007UL], check.Collisions);
        Assert.Equal(["100000007 large small", "200000007 larger small"], told);
    }

    [Fact]
    public void Objects_of_a_repository_are_counted()
    {
        using var test = new TestRepo();
        test.CommitFiles(("usr/a", "1"), ("usr/b", "2"));
        InodeCheck check = InodeCheck.Run(test.Repo);

        // Two files, three directories' trees of which none are the same, one dirmeta, the commit.
        Assert.Equal(test.Repo.ListObjects().Count(), check.Inode32 + check.Inode64);
        Assert.Empty(check.Collisions);
    }

    [Fact]
    public void A_merge_that_is_not_what_its_layers_give_is_found()
    {
        using var test = new TestRepo();
        var image = new MemoryImage();
        image.AddTar(tar => tar.File("usr/bin/one", "right")).AddTar(tar => tar.File("usr/bin/two", "right too"));
        ImportedImage imported = test.Import(image);
        test.Import(MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-derived.ociarchive")), "sound");
        var repair = new ImageRepair(test.Repo);
        Assert.Empty(repair.FindCorrupted());

        Commit merge = test.Repo.ReadCommit(imported.MergeCommit);
        Checksum wrong = test.CommitFiles(("usr/bin/one", "right"), ("usr/bin/two", "wrong"));
        using (RepoTransaction transaction = test.Repo.BeginTransaction())
        {
            Checksum corrupted = transaction.WriteCommit(merge with { RootTree = test.Repo.ReadCommit(wrong).RootTree });
            transaction.SetRef(ImageRefs.ForImage(TestRepo.Reference("test").Image), corrupted);
            transaction.Commit();
        }

        Assert.Equal(["dir:/test"], repair.FindCorrupted().Select(found => found.Image.ToString()));
    }
}
