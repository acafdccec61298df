using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>Images that ostree-ext wrote, and what it made of them itself.</summary>
public class GoldenImageTests
{
    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", name);

    private static readonly Checksum Alpha = Checksum.Parse(File.ReadAllText(Golden("alpha.commit")).Trim());

    public static TheoryData<string, RepoMode> Images()
    {
        var data = new TheoryData<string, RepoMode>();
        foreach (var name in (string[])["alpha-single", "alpha-chunked", "alpha-derived"])
        {
            foreach (var mode in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.Archive])
            {
                data.Add(name, mode);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void ImportsToTheSameTreesAndLayers(string name, RepoMode mode)
    {
        using var test = new TestRepo(mode);
        var image = test.Import(MemoryImage.FromArchive(Golden($"{name}.ociarchive")));

        Assert.Equal(File.ReadAllLines(Golden($"{name}.tree")).Select(line => line.Replace('\t', ' ')), test.Objects(image.MergeCommit).Select(line => $"{line.Key} {line.Value}"));
        Assert.Equal(Alpha, image.BaseCommit);
        Assert.Equal(Alpha, test.Repo.ReadCommit(image.MergeCommit).Parent);
        var refs = test.Repo.ListRefs();
        foreach (var line in File.ReadLines(Golden($"{name}.expected")).Where(line => line.StartsWith("ostree/container/blob/", StringComparison.Ordinal)))
        {
            var (refName, commit) = (line.Split('\t')[0], line.Split('\t')[1]);
            // The peer stamps the commits of derived layers with the time of the import; their trees are the same.
            Assert.Equal(DerivedTrees.GetValueOrDefault(commit, commit), DerivedTrees.ContainsKey(commit) ? test.Repo.ReadCommit(refs[refName]).RootTree.ToString() : refs[refName].ToString());
        }

        Assert.Equal(image.MergeCommit, refs["ostree/container/image/dir_3A__2F_test"]);
        test.RequireSound();
    }

    // The peer's commits of the two derived layers, and the trees in them.
    private static readonly Dictionary<string, string> DerivedTrees = new()
    {
        ["627822bb60886e9a31731069cc32966815ca3bd095c12c86817d1f497d1af31c"] = "0a3deb1e9483e52747bee37517b8dd58365f63d80931739b2b880b4a32292ec1",
        ["dccd9bfb29943099d4608963b55fc943c2f01614ecc90d39d5869c4f2b36d403"] = "adc738effcf55c52a395d0243ae568a98f9259c2071e552085534ddac2a8690b",
    };

    [Fact]
    public void WarnsOfWhatItLeavesOutAsThePeerDoes()
    {
        using var test = new TestRepo();
        var image = test.Import(MemoryImage.FromArchive(Golden("alpha-derived.ociarchive")));
        var expected = File.ReadLines(Golden("alpha-derived.expected")).Single(line => line.StartsWith("Image contains", StringComparison.Ordinal));
        // The peer that wrote the expectation printed its counts in the random order of a hash map.
        static string[] Counts(string line) => [.. line.Split(": ", 2)[1].Split(' ').Chunk(2).Select(pair => string.Join(' ', pair)).Order(StringComparer.Ordinal)];
        var actual = image.Dropped.Warnings().First();
        Assert.Equal(expected.Split(':')[0], actual.Split(':')[0]);
        Assert.Equal(Counts(expected), Counts(actual));
    }

    [Fact]
    public void TheSameImageIsTheSameCommitInEveryMode()
    {
        HashSet<Checksum> commits = [];
        foreach (var mode in (RepoMode[])[RepoMode.Bare, RepoMode.BareUser, RepoMode.Archive])
        {
            using var test = new TestRepo(mode);
            commits.Add(test.Import(MemoryImage.FromArchive(Golden("alpha-derived.ociarchive"))).MergeCommit);
        }

        Assert.Single(commits);
    }

    [Fact]
    public void TheRealOstreeReadsTheMetadata()
    {
        using var test = new TestRepo();
        var source = MemoryImage.FromArchive(Golden("alpha-derived.ociarchive"));
        var image = test.Import(source);
        string Key(string key) => Tool.Run("ostree", "show", $"--repo={test.Path}", $"--print-metadata-key={key}", image.MergeCommit.ToString()).Ok().OutputLine;
        Assert.Equal("'sha256:e1aa96edc7b6db3b3a4aac2bf3bb287737e585bf7f54b9ab5e62bfa17dbfd6a7'", Key("ostree.manifest-digest"));
        Assert.Equal($"'{image.ManifestJson}'", Key("ostree.manifest"));
        Assert.Equal("'0.15.3'", Key("ostree.importer.version"));
        Assert.Equal(1775001600ul, test.Repo.ReadCommit(image.MergeCommit).Timestamp);
        Assert.Equal("1.1", image.Version);
    }

    [Fact]
    public void UnencapsulateBringsTheCommitAndNoRef()
    {
        using var test = new TestRepo();
        using (var importer = new ImageImporter(test.Repo, TestRepo.Reference("test"), null, MemoryImage.FromArchive(Golden("alpha-chunked.ociarchive"))))
        {
            Assert.Equal(Alpha, importer.Unencapsulate());
        }

        Assert.Empty(test.Repo.ListRefs());
        Assert.Equal(CommitState.Whole, test.Repo.StateOf(Alpha));
        Assert.Equal(45, test.Objects(Alpha).Count);
        test.RequireSound();
    }

    [Fact]
    public void UnencapsulateRefusesDerivedLayers()
    {
        using var test = new TestRepo();
        using var importer = new ImageImporter(test.Repo, TestRepo.Reference("test"), null, MemoryImage.FromArchive(Golden("alpha-derived.ociarchive")));
        var e = Assert.Throws<ContainerException>(() => importer.Unencapsulate());
        Assert.StartsWith("image has 2 non-ostree layers", e.InnerException!.Message);
    }

    [Fact]
    public void AnImageThatIsThereIsNotFetchedAgain()
    {
        using var test = new TestRepo();
        test.Import(MemoryImage.FromArchive(Golden("alpha-chunked.ociarchive")));
        var again = MemoryImage.FromArchive(Golden("alpha-chunked.ociarchive"));
        test.Import(again);
        Assert.Empty(again.Opened);
    }

    [Fact]
    public void ADerivedImageFetchesOnlyWhatItsBaseLacks()
    {
        using var test = new TestRepo();
        test.Import(MemoryImage.FromArchive(Golden("alpha-chunked.ociarchive")), "base");
        var derived = MemoryImage.FromArchive(Golden("alpha-derived.ociarchive"));
        test.Import(derived, "derived");
        Assert.Equal(3, derived.Opened.Count); // the configuration and two layers
    }
}
