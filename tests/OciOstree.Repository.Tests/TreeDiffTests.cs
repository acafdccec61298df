using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Differences are those that the real <c>ostree diff</c> prints.</summary>
public class TreeDiffTests
{
    private const string Changes = """
        echo changed >names/plain; rm names/a; mkdir names/a; echo x >names/a/x; rm -r wide; chmod 0700 deep; chown -h 9:9 links/link-0
        setfattr -n user.more -v y sizes/size-1; mkdir -p new/sub; echo n >new/sub/n; rm links/link-1; ln -s other links/link-1; rm -r empty-directory; touch empty-directory
        """;

    [Theory]
    [InlineData(RepoMode.Bare, "")]
    [InlineData(RepoMode.Archive, "--no-xattrs")]
    [InlineData(RepoMode.Archive, "--owner-uid=0 --owner-gid=0")]
    [InlineData(RepoMode.BareUserOnly, "")]
    public void A_commit_and_a_directory_differ_as_ostree_says(RepoMode mode, string flags)
    {
        using var scratch = new ScratchDirectory();
        // ostree compares xattrs without a value on disk with their absence in the commit; so do we not.
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 51, new TreeShape { EmptyXattrs = false, Owners = false });
        using Repo repo = Repo.Create(scratch["repo"], mode);
        Checksum before = OurCommit.Directory(repo, tree);
        Tool.Shell(Changes, tree).Ok();
        Checksum after = OurCommit.Directory(repo, tree);
        using LinuxDirectory directory = LinuxDirectory.Open(tree);
        var options = new TreeDiffOptions
        {
            IgnoreXattrs = flags.Contains("--no-xattrs", StringComparison.Ordinal),
            OwnerUid = flags.Contains("uid", StringComparison.Ordinal) ? 0 : null,
            OwnerGid = flags.Contains("gid", StringComparison.Ordinal) ? 0 : null,
        };
        (string, TreeSide)[] sides = [(before.ToString(), TreeSide.OfCommit(repo, before)), (after.ToString(), TreeSide.OfCommit(repo, after)), (tree, TreeSide.OfDirectory(directory))];
        foreach ((string a, TreeSide sideA) in sides)
        {
            foreach ((string b, TreeSide sideB) in sides)
            {
                string[] expected = Tool.Run("ostree", ["diff", "--repo=" + scratch["repo"], .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries), a, b]).Ok().Output
                    .Split("\n", StringSplitOptions.RemoveEmptyEntries);
                TreeDiff diff = TreeDiff.Between(sideA, sideB, options);
                IEnumerable<string> ours =
                [
                    .. diff.Modified.Select(path => "M    " + Shown(path, a == tree)),
                    .. diff.Removed.Select(path => "D    " + Shown(path, a == tree)),
                    .. diff.Added.Select(path => "A    " + Shown(path, b == tree)),
                ];
                Assert.Equal(expected.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
                if (a != tree && b != tree)
                    Assert.Equal(expected, ours);
            }
        }
    }

    [Fact]
    public void A_tree_does_not_differ_from_itself()
    {
        using var scratch = new ScratchDirectory();
        string tree = Testing.TreeBuilder.Build(scratch["tree"], 52);
        using Repo repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        Checksum commit = OurCommit.Directory(repo, tree);
        using LinuxDirectory directory = LinuxDirectory.Open(tree);
        Assert.True(TreeDiff.Between(TreeSide.OfCommit(repo, commit), TreeSide.OfDirectory(directory)).IsEmpty);
        Assert.True(TreeDiff.Between(TreeSide.OfDirectory(directory), TreeSide.OfCommit(repo, commit)).IsEmpty);
    }

    // ostree prints what is on disk relative to the directory.
    private static string Shown(string path, bool onDisk) => onDisk ? path[1..] : path;
}
