using System.Globalization;

namespace OciOstree.Interop.Tests.Repository;

/// <summary>
/// Whatever tree there is, the real <c>ostree</c> and ours make the same of it: commits, listings, checkouts, archives, pulls and whole repositories,
/// each program also on what the other one wrote. <c>OCI_OSTREE_TREES=N</c> tries N trees, <c>OCI_OSTREE_SEED=S</c> starts at another seed; a failure names the seed,
/// and <c>OCI_OSTREE_KEEP=1</c> leaves the files under <c>/var/tmp</c>.
/// </summary>
public sealed class PropertyTests
{
    private static readonly string[] Modes = ["bare", "bare-user", "bare-user-only", "archive"];

    public static TheoryData<int> Seeds()
    {
        var seeds = new TheoryData<int>();
        int first = Number("OCI_OSTREE_SEED", 1);
        foreach (int seed in Enumerable.Range(first, Number("OCI_OSTREE_TREES", 16)))
            seeds.Add(seed);
        return seeds;
        static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Both_programs_make_the_same_of_a_tree(int seed)
    {
        using var pair = new ProgramPair($"tree-{seed}");
        var random = new Random(seed);
        // Sixteen seeds in a row have each mode pulled into each.
        string mode = Modes[seed % 4], other = Modes[seed / 4 % 4];
        // Pulled where they cannot be kept, odd modes are refused by ours; the real one makes a repository of them that its own fsck finds damaged.
        bool plain = mode == "bare-user-only" || other == "bare-user-only";
        string tree = RandomTree.Build(pair.Scratch["tree"], seed, plain), layer = RandomTree.Build(pair.Scratch["layer"], seed + 1_000_000, plain);

        pair.Both("init", "--repo={repo}", "--mode=" + mode);
        pair.Both("config", "--repo={repo}", "set", "core.fsync", "false");
        pair.Both([.. CommitWords(random, mode), "-b", "tree", "--tree=dir=" + tree]);
        pair.Both("commit", "--repo={repo}", "-b", "layer", "--timestamp=@1", "--tree=dir=" + layer);
        pair.Both("commit", "--repo={repo}", "-b", "both", "--timestamp=@2", "--tree=ref=tree", "--tree=dir=" + layer);
        pair.AssertSameRepositories("repo");
        foreach (string name in (string[])["tree", "layer", "both"])
            pair.Crossed("ls", "--repo={repo}", "-R", "-C", "-X", name);
        pair.Crossed("diff", "--repo={repo}", "tree", "layer");
        if (mode != "archive")
            pair.Crossed("diff", "--repo={repo}", "--stats", "tree", "both");
        pair.Crossed("fsck", "--repo={repo}");

        CheckOut(pair, random, mode);
        ThroughTar(pair, random, tree);
        Pull(pair, random, other);
    }

    private static string[] CommitWords(Random random, string mode)
    {
        List<string> words = ["commit", "--repo={repo}", "--timestamp=@" + random.Next().ToString(CultureInfo.InvariantCulture), "-s", "Subject"];
        foreach (string option in (string[])["--owner-uid=7", "--owner-gid=8", "--no-xattrs", "--canonical-permissions", "--mode-ro-executables", "--generate-sizes", "--no-bindings"])
            // The sizes in an archive are its compressor's.
            if (random.Next(5) == 0 && !(option == "--generate-sizes" && mode == "archive") && !(option == "--canonical-permissions" && words.Any(word => word.StartsWith("--owner", StringComparison.Ordinal))))
                words.Add(option);
        return [.. words];
    }

    private static void CheckOut(ProgramPair pair, Random random, string mode)
    {
        string[] user = mode is "bare-user" or "bare-user-only" ? ["-U"] : random.Next(3) == 0 ? ["-U"] : [];
        string[] how = random.Next(5) switch { 0 => ["-H"], 1 => ["-C"], 2 => ["-z"], 3 => ["-M"], _ => [] };
        // One that fails halfway leaves what it had come to, directories without their modes among it; that is nothing to go on with.
        string place = "{out}";
        if (pair.Both(["checkout", "--repo={repo}", .. user, .. how, "tree", place]))
        {
            pair.AssertSameTrees("out");
        }
        else
        {
            place = "{union}";
            pair.Both(["checkout", "--repo={repo}", .. user, "tree", place]);
        }
        // Each from the other's repository.
        if (pair.Both(["checkout", "--repo={other-repo}", .. user, "tree", "{crossed}"]))
            pair.AssertSameTrees("crossed");
        string[] union = random.Next(4) switch { 0 => ["--union"], 1 => ["--union-add"], 2 => ["-H", "--union-identical"], _ => ["--union", "--whiteouts"] };
        // How far a checkout came before something was in its way depends on the order of files. With whiteouts a directory takes a file's place since 2022.7.
        string[] words = ["checkout", "--repo={repo}", .. user, .. union, "layer", place];
        (ToolResult real, ToolResult ours) = pair.Each(words);
        if (union.Length == 2 && union[1] == "--whiteouts" && real.Error.Contains("Not a directory", StringComparison.Ordinal))
        {
            ours.Ok();
            return;
        }
        ProgramPair.AssertSame(words, real, ours);
        if (real.ExitCode == 0)
            pair.AssertSameTrees(place[1..^1]);
    }

    private static void ThroughTar(ProgramPair pair, Random random, string tree)
    {
        // What GNU tar makes of the tree; its older formats have no xattrs, and shorter numbers.
        // One xattr a file: 2022.7 takes several in the archive's reverse order, which makes another object; later releases sort them, as we do.
        string format = random.Next(2) == 0 ? "--format=posix --xattrs --xattrs-include=security.capability" : "--format=gnu";
        Tool.Shell($"tar {format} -C '{tree}' -cf '{pair.Scratch["in.tar"]}' .", pair.Scratch.Path).Ok();
        pair.Both("commit", "--repo={repo}", "-b", "tar", "--timestamp=@3", "--tree=tar=" + pair.Scratch["in.tar"]);
        // The real one's archives have no xattrs; what else there is must come back as it was.
        pair.Each(["export", "--repo={repo}", "--no-xattrs", "tree", "-o", "{out.tar}"]);
        pair.Both("commit", "--repo={repo}", "-b", "again", "--timestamp=@4", "--tree=tar={out.tar}");
        pair.Both("commit", "--repo={repo}", "-b", "crossed", "--timestamp=@4", "--tree=tar={other-out.tar}");
    }

    private static void Pull(ProgramPair pair, Random random, string other)
    {
        string[] how = random.Next(3) == 0 ? ["--untrusted"] : [];
        pair.Both("init", "--repo={pulled}", "--mode=" + other);
        if (!pair.Both(["pull-local", "--repo={pulled}", .. how, "{repo}", "tree", "both"]))
            return;
        pair.AssertSameRepositories("pulled");
        pair.Crossed("fsck", "--repo={pulled}");
        pair.Both("init", "--repo={from-other}", "--mode=" + other);
        pair.Both(["pull-local", "--repo={from-other}", .. how, "{other-repo}"]);
        pair.AssertSameRepositories("from-other");
    }
}
