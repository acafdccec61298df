namespace OciOstree.Repository.Tests;

/// <summary>Prune keeps and deletes the same objects as the real program does, and says the same numbers.</summary>
public class PruneTests
{
    /// <summary>A repository where two branches have four commits each, an hour apart, and a fifth commit has no ref.</summary>
    private static string Build(ScratchDirectory scratch)
    {
        Ostree.Init(scratch["repo"], RepoMode.Archive);
        for (int i = 0; i < 4; i++)
            foreach (string branch in (string[])["main", "dir/b"])
            {
                scratch.Write("tree/file", $"{branch} {i}");
                scratch.Write($"tree/{branch}/{i}", $"{i}");
                Ostree.Run(scratch["repo"], "commit", $"--branch={branch}", $"--tree=dir={scratch["tree"]}", $"--timestamp=@{1_600_000_000 + 3600 * i}").Ok();
            }
        scratch.Write("tree/orphan", "orphan");
        Ostree.Run(scratch["repo"], "commit", "--orphan", $"--tree=dir={scratch["tree"]}").Ok();
        return scratch["repo"];
    }

    public static TheoryData<string, int> Cases => new()
    {
        { "--depth=-1", 0 },
        { "--refs-only", 1 },
        { "--refs-only --depth=0", 2 },
        { "--refs-only --depth=2", 3 },
        { "--depth=1", 4 },
        { "--keep-younger-than=@1600003601", 5 },
        { "--retain-branch-depth=main=1 --depth=0", 6 },
        { "--only-branch=main --depth=0", 7 },
        { "--only-branch=main --only-branch=dir/b --retain-branch-depth=dir/b=2 --depth=0", 8 },
        { "--refs-only --depth=0 --commit-only", 9 },
        { "--refs-only --depth=0 --no-prune", 10 },
    };

    private static PruneOptions Options(int index) => index switch
    {
        0 => new PruneOptions(),
        1 => new PruneOptions { RefsOnly = true },
        2 => new PruneOptions { RefsOnly = true, Depth = 0 },
        3 => new PruneOptions { RefsOnly = true, Depth = 2 },
        4 => new PruneOptions { Depth = 1 },
        5 => new PruneOptions { KeepYoungerThan = DateTimeOffset.FromUnixTimeSeconds(1600003601) },
        6 => new PruneOptions { RetainDepth = new Dictionary<string, int> { ["main"] = 1 }, Depth = 0 },
        7 => new PruneOptions { OnlyBranches = ["main"], Depth = 0 },
        8 => new PruneOptions { OnlyBranches = ["main", "dir/b"], RetainDepth = new Dictionary<string, int> { ["dir/b"] = 2 }, Depth = 0 },
        9 => new PruneOptions { RefsOnly = true, Depth = 0, CommitsOnly = true },
        _ => new PruneOptions { RefsOnly = true, Depth = 0, DryRun = true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_same_objects_stay(string arguments, int options)
    {
        using ScratchDirectory scratch = new();
        Tool.Run("cp", "-a", Build(scratch), scratch["real"]).Ok();
        string[] real = Ostree.Run(scratch["real"], "prune", arguments.Split(' ')).Ok().OutputLines;
        using Repo repo = Repo.Open(scratch["repo"]);
        PruneResult result = repo.Prune(Options(options));
        Assert.Equal(options == 9 ? $"Total (commit only) objects: {result.ObjectsTotal}" : $"Total objects: {result.ObjectsTotal}", real[0]);
        Assert.Equal(result.ObjectsPruned == 0 ? "No unreachable objects" : $"{(options == 10 ? "Would delete:" : "Deleted")} {result.ObjectsPruned} objects,", real[1].Split(", ") is [var count, _] ? count + "," : real[1]);
        using Repo other = Repo.Open(scratch["real"]);
        Assert.Equal(other.ListObjects().Order(), repo.ListObjects().Order());
        Ostree.Run(scratch["repo"], "fsck", "--quiet");
    }

    [Fact]
    public void A_commit_is_deleted_with_a_tombstone_unless_a_ref_needs_it()
    {
        using ScratchDirectory scratch = new();
        using Repo repo = Repo.Open(Build(scratch));
        Checksum tip = repo.ResolveRequired("main"), parent = repo.ResolveRequired("main^");
        Assert.Equal($"Commit '{tip}' is referenced by 'main'", Assert.ThrowsAny<RepositoryException>(() => repo.DeleteCommit(tip)).Message);
        repo.DeleteCommit(parent);
        Assert.False(repo.HasObject(new ObjectName(parent, ObjectType.Commit)));
        Assert.True(repo.HasObject(new ObjectName(parent, ObjectType.TombstoneCommit)));
        Tool.Run("cp", "-a", scratch["repo"], scratch["real"]).Ok();
        using Repo again = Repo.Open(scratch["repo"]);
        again.Prune(new PruneOptions());
        Ostree.Run(scratch["repo"], "fsck", "--quiet").Ok();
        Assert.True(again.Settings.TombstoneCommits);

        // The tombstone is the real program's, byte for byte, and goes when the commit comes back.
        using ScratchDirectory second = new();
        string realRepo = Build(second);
        Checksum victim = Checksum.Parse(Ostree.Run(realRepo, "rev-parse", "main^").Ok().OutputLine);
        Ostree.Run(realRepo, "prune", $"--delete-commit={victim}").Ok();
        byte[] expected = File.ReadAllBytes($"{realRepo}/objects/{victim.ToString()[..2]}/{victim.ToString()[2..]}.tombstone-commit");
        byte[] ours = File.ReadAllBytes($"{scratch["repo"]}/objects/{parent.ToString()[..2]}/{parent.ToString()[2..]}.tombstone-commit");
        Assert.Equal(System.Text.Encoding.ASCII.GetString(expected).Replace(victim.ToString(), "*"), System.Text.Encoding.ASCII.GetString(ours).Replace(parent.ToString(), "*"));
    }
}
