namespace OciOstree.Repository.Tests;

/// <summary>Repositories written by the real program are ours to read, and ours are the real program's, in every mode and from every mode.</summary>
public class ModesTests
{
    public static TheoryData<RepoMode> Modes => [RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive];

    public static TheoryData<RepoMode, RepoMode> Pairs
    {
        get
        {
            TheoryData<RepoMode, RepoMode> pairs = [];
            foreach (RepoMode from in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive])
                foreach (RepoMode to in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.BareUserOnly, RepoMode.Archive])
                    pairs.Add(from, to);
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_the_real_program_wrote_is_read_whole(RepoMode mode)
    {
        using ScratchDirectory scratch = new();
        TreeBuilder.Build(scratch["tree"], shape: Ostree.Shape(mode));
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["real"], mode), scratch["tree"], "test");
        using Repo repo = Repo.Open(scratch["real"]);
        Assert.Equal(mode, repo.Mode);
        Assert.Equal(commit, repo.ResolveRequired("test"));
        FsckResult result = repo.Fsck(new FsckOptions { Report = Assert.Fail });
        Assert.Equal(1, result.Commits);
        Assert.False(result.FoundCorruption);
        Assert.Equal(repo.ListObjects().ToHashSet(), repo.Traverse(commit));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pull_lays_objects_out_as_the_real_one_does(RepoMode from, RepoMode to)
    {
        using ScratchDirectory scratch = new();
        bool plain = from == RepoMode.BareUserOnly || to == RepoMode.BareUserOnly;
        TreeBuilder.Build(scratch["tree"], shape: Ostree.Shape(plain ? RepoMode.BareUserOnly : from));
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["source"], from), scratch["tree"], "test");
        Ostree.Init(scratch["real"], to);
        Ostree.Run(scratch["real"], "pull-local", scratch["source"]).Ok();

        using (Repo source = Repo.Open(scratch["source"]))
        using (Repo ours = Repo.Create(scratch["ours"], to))
        {
            ours.DisableFsync();
            TransactionStats stats = LocalPull.Run(source, ours, new LocalPullOptions());
            Assert.Equal(stats.ContentTotal, stats.ContentWritten);
            Assert.False(ours.Fsck(new FsckOptions { Report = Assert.Fail }).FoundCorruption);
            stats = LocalPull.Run(source, ours, new LocalPullOptions());
            Assert.Equal(0, stats.ContentWritten + stats.MetadataWritten);
        }

        Ostree.Run(scratch["ours"], "fsck", "--quiet").Ok();
        Assert.Equal(commit.ToString(), Ostree.Run(scratch["ours"], "rev-parse", "test").Ok().OutputLine);
        Assert.Equal(Ostree.Listing(scratch["real"], commit), Ostree.Listing(scratch["ours"], commit));
        AssertSameLayout(scratch["real"], scratch["ours"], to);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(scratch["ours/tmp"]), path => Path.GetFileName(path) != "cache");
    }

    /// <summary>The same files with the same owners, modes, xattrs, contents and times; a compressor's output may differ.</summary>
    private static void AssertSameLayout(string real, string ours, RepoMode mode)
    {
        string[] Lines(string repo) => [.. TreeSnapshot.Of(Path.Combine(repo, "objects"), SnapshotDetails.Default | SnapshotDetails.FileTimes).Select(Comparable)];
        string Comparable(string line)
        {
            string[] words = line.Split(' ');
            // Content in bare modes carries the time 0; other objects have whatever time they were made at.
            return words[0].EndsWith(".filez", StringComparison.Ordinal) ? string.Join(' ', words.Take(3))
                : string.Join(' ', words.Where(word => words[0].EndsWith(".file", StringComparison.Ordinal) || !word.StartsWith("mtime=", StringComparison.Ordinal)));
        }

        Assert.Equal(Lines(real), Lines(ours));
        Assert.True(mode == RepoMode.Archive || Lines(ours).Any(line => line.Contains(" mtime=0.0")));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void An_empty_repository_is_laid_out_as_the_real_one(RepoMode mode)
    {
        using ScratchDirectory scratch = new();
        Ostree.Run(scratch["real"], "init", $"--mode={Ostree.Word(mode)}").Ok();
        Repo.Create(scratch["ours"], mode).Dispose();
        Tool.Run("rm", "-rf", scratch["real/tmp/cache"], scratch["ours/tmp/cache"]).Ok();
        TreeSnapshot.AssertEqual(scratch["real"], scratch["ours"]);
    }

    [Fact]
    public void A_repository_with_a_parent_finds_objects_there()
    {
        using ScratchDirectory scratch = new();
        TreeBuilder.Build(scratch["tree"]);
        Checksum commit = Ostree.Commit(Ostree.Init(scratch["parent"], RepoMode.Bare), scratch["tree"], "test");
        Repo.Create(scratch["child"], RepoMode.BareUser).Dispose();
        File.AppendAllText(scratch["child/config"], $"parent={scratch["parent"]}\n");
        using Repo child = Repo.Open(scratch["child"]);
        Assert.Equal(commit, child.ResolveRef("test"));
        Assert.False(child.Fsck(new FsckOptions { Report = Assert.Fail }).FoundCorruption);
        Assert.Empty(child.ListObjects());
        using Repo copy = Repo.Create(scratch["copy"], RepoMode.Archive);
        LocalPull.Run(child, copy, new LocalPullOptions { Refs = ["test"] });
        Ostree.Run(scratch["copy"], "fsck", "--quiet").Ok();
    }
}
