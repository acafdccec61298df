using System.Text.RegularExpressions;

namespace OciOstree.Interop.Tests.Ostree;

/// <summary>
/// Both programs' <c>fsck</c> on copies of the same damaged repository: the same output, complaints and exit code, and the same repository left behind.
/// Where ours says more, the tests say what.
/// </summary>
public sealed partial class FsckTests : IDisposable
{
    // What is wrong, done to the repository $1; the objects' names are in variables.
    private static readonly (string Name, string Damage)[] s_states =
    [
        ("nothing", ":"),
        ("a file is missing", "rm $1/objects/$FILE"),
        ("a dirmeta is missing", "rm $1/objects/$META"),
        ("the commit of a ref is missing", "rm $1/objects/$TIP"),
        ("a parent is missing", "rm $1/objects/$OLD"),
        ("a file is damaged", "printf x >> $1/objects/$FILE"),
        ("a dirtree is damaged", "sed -i s/second/sEcond/ $1/objects/$TREE"),
        ("a dirmeta is damaged", "printf '\\001' | dd of=$1/objects/$META bs=1 seek=3 conv=notrunc status=none"),
        ("a commit is damaged", "sed -i s/first/fIrst/ $1/objects/$OLD"),
        ("the commit of a ref is damaged", "sed -i s/second/sEcond/ $1/objects/$TIP"),
        ("a commit is partial", "touch $1/state/$TIPNAME.commitpartial"),
        ("a commit was marked by fsck", "printf f > $1/state/$TIPNAME.commitpartial"),
        ("one is marked, one partial, a file missing", "printf f > $1/state/$TIPNAME.commitpartial; touch $1/state/$OLDNAME.commitpartial; rm $1/objects/$FILE"),
        ("a ref has another's commit", "cp $1/refs/heads/main $1/refs/heads/wrong"),
        ("a ref that a commit names is gone", "rm $1/refs/heads/other"),
        ("a ref that a commit names leads elsewhere", "cp $1/refs/heads/main $1/refs/heads/other"),
        ("a ref leads nowhere", "printf '%064d\\n' 1 > $1/refs/heads/nowhere"),
    ];

    private readonly ScratchDirectory scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("archive", "", "-a", "--delete", "-q --add-tombstones", "--verify-bindings --verify-back-refs", "-a -q --delete --add-tombstones")]
    [InlineData("bare", "--delete -a", "-q --verify-back-refs")]
    public void EveryDamageIsReportedAlike(string mode, params string[] options)
    {
        MakeRepo(mode);
        foreach ((string name, string damage) in s_states)
            foreach (string words in options)
            {
                if (words.Contains("-a", StringComparison.Ordinal) && name is "the commit of a ref is missing" or "the commit of a ref is damaged" or "a ref leads nowhere")
                    continue; // told apart below
                if (words == "-q --verify-back-refs" && name == "a ref has another's commit")
                    continue; // likewise
                (ToolResult real, ToolResult ours) = Both(damage, words);
                string at = $"{name}: fsck {words}\n";
                Assert.Equal(at + real.ExitCode, at + ours.ExitCode);
                // The real one walks on through what a damaged object says, we do not: it counts objects that we do not.
                bool counted = name is not ("a commit is damaged" or "a dirtree is damaged");
                Assert.Equal(at + Sorted(Counts(real.Output, counted)), at + Sorted(Counts(ours.Output, counted)));
                Assert.Equal(at + Sorted(real.Error), at + Sorted(WithoutAdvice(ours.Error)));
                Assert.Equal(at, at + Tool.Run(new ToolStart("diff") { Directory = scratch.Path }, "-r", "--no-dereference", "real", "ours").Output);
            }
    }

    [Theory]
    [InlineData("rm $1/objects/$TREE", "Object missing in commits {0}: {1}.dirtree")]
    [InlineData("printf x >> $1/objects/$TREE", "In commits {0}: fsck {1}.dirtree: Corrupted dirtree object; ")]
    public void ADirectoryThatCannotBeReadDoesNotHideTheRest(string damage, string complaint)
    {
        MakeRepo("archive");
        (ToolResult real, ToolResult ours) = Both(damage, "-a --delete");
        Assert.Equal(1, real.ExitCode);
        Assert.Equal(1, ours.ExitCode);
        // The real one says one sentence that names no commit, and leaves all as it was.
        Assert.DoesNotContain(Tip, real.Error, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(scratch[$"real/state/{Tip}.commitpartial"]));
        Assert.Contains(string.Format(null, complaint, Tip, Tree), ours.Error, StringComparison.Ordinal);
        Assert.True(System.IO.File.Exists(scratch[$"ours/state/{Tip}.commitpartial"]));
        // So marked it can be pruned, and pulled again, by either program.
        Tool.Run("ostree", "prune", "--repo=" + scratch["ours"], "--refs-only").Ok();
        Tool.Run("ostree", "pull-local", "--repo=" + scratch["ours"], scratch["base"], "main").Ok();
        OurProgram.Ostree("fsck", "--repo=" + scratch["ours"]).Ok();
    }

    [Theory]
    [InlineData("rm $1/objects/$TIP; rm $1/objects/$FILE")]
    [InlineData("sed -i s/second/sEcond/ $1/objects/$TIP; rm $1/objects/$FILE")]
    [InlineData("printf '%064d\\n' 1 > $1/refs/heads/nowhere; rm $1/objects/$FILE")]
    public void WithAllARefWithoutItsCommitDoesNotHideTheRest(string damage)
    {
        MakeRepo("archive", shared: true);
        (ToolResult real, ToolResult ours) = Both(damage, "-a");
        Assert.Equal((1, 1), (real.ExitCode, ours.ExitCode));
        Assert.Contains($"{File}.file", ours.Error, StringComparison.Ordinal);
        Assert.EndsWith("error: Repository corruption encountered\n", ours.Error, StringComparison.Ordinal);
    }

    // ostree says that the one implies the other, and does not do it.
    [Fact]
    public void BackReferencesImplyBindings()
    {
        MakeRepo("archive");
        const string damage = "cp $1/refs/heads/other $1/refs/heads/wrong";
        (ToolResult real, ToolResult ours) = Both(damage, "--verify-bindings");
        Assert.Equal(1, real.ExitCode);
        const string complaint = "Commit has no requested ref ‘wrong’ in ref binding metadata (‘other’)";
        Assert.Contains(complaint, real.Error, StringComparison.Ordinal);
        Assert.Contains(complaint, ours.Error, StringComparison.Ordinal);
        (real, ours) = Both(damage, "--verify-back-refs");
        Assert.Equal(0, real.ExitCode);
        Assert.Equal(1, ours.ExitCode);
        Assert.Contains(complaint, ours.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheCommitsThatLackObjectsAreNamed()
    {
        MakeRepo("archive");
        (ToolResult real, ToolResult ours) = Both("printf f > $1/state/$TIPNAME.commitpartial", "-q");
        Assert.DoesNotContain(Tip, real.Error + real.Output, StringComparison.Ordinal);
        Assert.Contains($"Commit {Tip} (ref main) lacks objects: ", ours.Error, StringComparison.Ordinal);
        Assert.Equal(real.Output, ours.Output);
    }

    private string Tip => Name("TIPNAME");

    private string Tree => Name("TREENAME");

    private string File => Name("FILENAME");

    private string Name(string variable) => Tool.Shell($". ./names; echo ${variable}", scratch.Path).Ok().OutputLine;

    private (ToolResult Real, ToolResult Ours) Both(string damage, string words)
    {
        Tool.Shell($"rm -rf real ours; . ./names; for name in real ours; do cp -a base $name; set -- $name; {damage}; done", scratch.Path).Ok();
        string[] split = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (Tool.Run("ostree", ["fsck", "--repo=" + scratch["real"], .. split]), OurProgram.Ostree(["fsck", "--repo=" + scratch["ours"], .. split]));
    }

    // The real one's order is that of a hash table.
    private static string Sorted(string lines) =>
        string.Join('\n', lines.Split('\n').Select(line => Commits().Replace(line, match => string.Join(", ", match.Value.Split(", ").Order(StringComparer.Ordinal)))).Order(StringComparer.Ordinal));

    private static string Counts(string output, bool counted) => counted ? output : Progress().Replace(output, "fsck objects");

    [GeneratedRegex("fsck objects .*")]
    private static partial Regex Progress();

    private static string WithoutAdvice(string error) => string.Join('\n', error.Split('\n').Where(line => !line.Contains(" lacks objects: ", StringComparison.Ordinal)));

    [GeneratedRegex("[0-9a-f]{64}(, [0-9a-f]{64})+")]
    private static partial Regex Commits();

    /// <summary>Two commits on one branch, the older bound to no ref as it would not lead back, and one on another; with <paramref name="shared"/> the file that gets damaged is in both branches.</summary>
    private void MakeRepo(string mode, bool shared = false) => Tool.Shell($$"""
        mkdir -p tree/dir; echo one > tree/dir/one; ln -s dir/one tree/link; echo two > tree/two
        ostree init --repo=base --mode={{mode}}
        ostree --repo=base commit -b main -s first --no-bindings --timestamp=@1700000000 tree
        ostree --repo=base commit -b other -s other --timestamp=@1700000001 tree/dir
        echo second > tree/second
        ostree --repo=base commit -b main -s second --timestamp=@1700000002 tree
        chmod -R u+w base/objects
        suffix={{(mode == "archive" ? "filez" : "file")}}
        object() { echo ${1:0:2}/${1:2}.$2; }
        TIPNAME=$(ostree --repo=base rev-parse main) OLDNAME=$(ostree --repo=base rev-parse main^)
        FILENAME=$(ostree --repo=base ls -C main {{(shared ? "/dir/one" : "/second")}} | awk '{print $5}')
        TREENAME=$(ostree --repo=base ls -dC main / | awk '{print $5}') METANAME=$(ostree --repo=base ls -dC main / | awk '{print $6}')
        cat > names <<END
        TIPNAME=$TIPNAME OLDNAME=$OLDNAME FILENAME=$FILENAME TREENAME=$TREENAME
        TIP=$(object $TIPNAME commit) OLD=$(object $OLDNAME commit) FILE=$(object $FILENAME $suffix) TREE=$(object $TREENAME dirtree) META=$(object $METANAME dirmeta)
        END
        """, scratch.Path).Ok();
}
