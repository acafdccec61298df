using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

public sealed class EtcMergePlanTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("etc-plan");

    public void Dispose() => scratch.Dispose();

    private EtcMergePlan Plan(string place = ".")
    {
        using LinuxDirectory old = LinuxDirectory.Open(scratch[$"{place}/base"]);
        using LinuxDirectory ours = LinuxDirectory.Open(scratch[$"{place}/ours"]);
        using LinuxDirectory theirs = LinuxDirectory.Open(scratch[$"{place}/new"]);
        return EtcMergePlan.Make(old, ours, theirs);
    }

    [Fact]
    public void Every_path_has_its_fate()
    {
        Tool.Shell("""
            mkdir base; cd base; mkdir -p dir/sub gone-dir; for f in untouched kept both same gone masked removed removed-changed updated dir/x dir/sub/y gone-dir/z; do echo 1 > $f; done; mkdir turned; cd ..
            cp -a base ours; cp -a base new
            cd ours; echo 2 > kept; echo 2 > both; echo 2 > same; rm removed removed-changed; echo 2 > added; rm -r dir; mkfifo fifo oddity; rm masked; mknod masked c 1 3; rm -r gone-dir/z; echo 2 > gone-dir/w; echo 2 > asdir; cd ..
            cd new; echo 3 > both; echo 2 > same; rm gone; echo 3 > removed-changed; echo 3 > updated; echo 3 > fresh; echo 3 > dir/sub/y; rm -r gone-dir; mkdir asdir oddity; cd ..
            """, scratch.Path).Ok();
        EtcMergePlan plan = Plan();
        (string, EtcFate)[] expected =
        [
            ("dir", EtcFate.RemovedConflict), ("removed", EtcFate.Removed), ("removed-changed", EtcFate.RemovedConflict),
            ("both", EtcFate.Conflict), ("kept", EtcFate.Kept), ("added", EtcFate.Kept), ("asdir", EtcFate.Refused), ("fifo", EtcFate.LeftBehind), ("oddity", EtcFate.Refused), ("masked", EtcFate.Kept), ("gone-dir/w", EtcFate.Conflict),
            ("updated", EtcFate.Replaced), ("fresh", EtcFate.New), ("gone", EtcFate.Gone),
        ];
        Assert.Equal(expected.Order(), plan.Choices.Select(choice => (choice.Path, choice.Fate)).Order());
        Assert.True(plan.IsRefused);
    }

    [Fact]
    public void Users_that_both_added_are_a_conflict_that_is_told()
    {
        // nss-altfiles: the image's own users are in /usr/lib/passwd and no business of the merge.
        Tool.Shell("""
            mkdir -p base; echo root:x:0:0 > base/passwd; echo root:x:0: > base/group
            cp -a base ours; cp -a base new
            echo me:x:1000:1000 >> ours/passwd; echo me:x:1000: >> ours/group; echo daemon:x:900:900 >> new/passwd
            """, scratch.Path).Ok();
        EtcMergePlan plan = Plan();
        Assert.Equal(["passwd"], plan.Paths(EtcFate.Conflict));
        Assert.Equal(["group"], plan.Paths(EtcFate.Kept));
        Assert.False(plan.IsRefused);
    }

    /// <summary>Random trees: what the plan says is what the merge then does.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_merge_does_what_the_plan_says(int seed)
    {
        var random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < 25; round++)
        {
            string place = $"r{round}";
            MakeTree($"{place}/base", random);
            Copy($"{place}/base", $"{place}/ours");
            Copy($"{place}/base", $"{place}/new");
            Edit($"{place}/ours", random);
            Edit($"{place}/new", random);
            EtcMergePlan plan = Plan(place);
            Copy($"{place}/new", $"{place}/merged");
            SysrootException? failure = Merge(place);
            Assert.Equal(plan.IsRefused, failure is not null);
            if (plan.IsRefused)
            {
                refused++;
                continue;
            }
            foreach ((string path, EtcFate fate) in plan.Choices)
            {
                string merged = Describe($"{place}/merged/{path}");
                string expected = fate switch
                {
                    EtcFate.Kept or EtcFate.Conflict => Describe($"{place}/ours/{path}"),
                    EtcFate.Replaced or EtcFate.New => Describe($"{place}/new/{path}"),
                    _ => "nothing",
                };
                Assert.Equal($"{place} {path} {fate} {expected}", $"{place} {path} {fate} {merged}");
            }
            // What it does not name is the same as in the new tree; a directory of ours comes with all that is in it.
            List<string> named = [.. plan.Choices.Select(choice => choice.Path)];
            foreach (string file in Directory.EnumerateFiles(scratch[$"{place}/merged"], "*", SearchOption.AllDirectories))
            {
                string path = Path.GetRelativePath(scratch[$"{place}/merged"], file);
                if (!named.Exists(name => name == path || path.StartsWith(name + "/", StringComparison.Ordinal)))
                {
                    Assert.Equal(Describe($"{place}/new/{path}"), Describe($"{place}/merged/{path}"));
                }
            }
        }
        Assert.InRange(refused, 0, 20);
    }

    private SysrootException? Merge(string place)
    {
        using LinuxDirectory old = LinuxDirectory.Open(scratch[$"{place}/base"]);
        using LinuxDirectory ours = LinuxDirectory.Open(scratch[$"{place}/ours"]);
        using LinuxDirectory merged = LinuxDirectory.Open(scratch[$"{place}/merged"]);
        return Record.Exception(() => EtcMerge.Apply(EtcMerge.Compare(old, ours), ours, merged)) switch
        {
            null => null,
            SysrootException e => e,
            var other => throw other,
        };
    }

    private static readonly string[] Names = ["a", "b", "c"];

    private void MakeTree(string path, Random random, int depth = 0)
    {
        Directory.CreateDirectory(scratch[path]);
        foreach (string name in Names)
        {
            switch (random.Next(depth < 2 ? 3 : 2))
            {
                case 0:
                    scratch.Write($"{path}/{name}", random.Next(3).ToString(null, null));
                    break;
                case 2:
                    MakeTree($"{path}/{name}", random, depth + 1);
                    break;
            }
        }
    }

    /// <summary>A few changes: files written, removed, turned into directories and back.</summary>
    private void Edit(string tree, Random random)
    {
        for (int i = random.Next(4); i > 0; i--)
        {
            string path = scratch[tree];
            do
            {
                path = Path.Combine(path, Names[random.Next(Names.Length)]);
            }
            while (Directory.Exists(path) && random.Next(3) > 0);
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
            else if (File.Exists(path))
            {
                File.Delete(path);
            }
            switch (random.Next(4))
            {
                case 0:
                    Directory.CreateDirectory(path);
                    File.WriteAllText(Path.Combine(path, "a"), random.Next(3).ToString(null, null));
                    break;
                case 1 or 2 when Directory.Exists(Path.GetDirectoryName(path)):
                    File.WriteAllText(path, random.Next(3).ToString(null, null));
                    break;
            }
        }
    }

    private void Copy(string from, string to)
    {
        Directory.CreateDirectory(scratch[to]);
        foreach (string directory in Directory.EnumerateDirectories(scratch[from], "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(scratch[to] + directory[scratch[from].Length..]);
        }
        foreach (string file in Directory.EnumerateFiles(scratch[from], "*", SearchOption.AllDirectories))
        {
            File.Copy(file, scratch[to] + file[scratch[from].Length..]);
        }
    }

    private string Describe(string path) =>
        File.Exists(scratch[path]) ? "file " + File.ReadAllText(scratch[path]) : Directory.Exists(scratch[path]) ? "directory" : "nothing";
}
