using OciOstree.Formats.Tar;
using OciOstree.Linux;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>Content of layers gets the SELinux labels of the policy that the united tree has.</summary>
public sealed class LabelTests : IDisposable
{
    // The policy that a base has, and another that a layer or a later base brings.
    private const string Policy = SmallPolicy.Contexts;
    private const string Other = SmallPolicy.Contexts + "/usr/bin/new	--	other_u:object_r:new_t:s0\n/usr/lib(/.*)?	other_u:object_r:lib_t:s0\n";

    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private static readonly Action<TarWriter> Derived = tar =>
    {
        tar.Directory("usr/bin");
        tar.File("usr/bin/new", "new");
        tar.File("etc/shadow", "secret", mode: 0x180);
        tar.Symlink("usr/lib/link", "../bin/new");
        tar.Directory("usr/share/added");
        tar.File("usr/share/added/file", "a", xattrs: new TarXattr([.. "security.selinux"u8], [.. "build:host:label:s0"u8]));
        tar.HardLink("usr/share/added/again", "usr/bin/new");
        tar.File("var/lib/state", "s");
    };

    [Fact]
    public void DerivedContentGetsLabelsAndTheBaseKeepsItsOwn()
    {
        var image = Base(Policy).AddTar(Derived);
        var result = test.Import(image);
        test.RequireSound();
        Assert.Empty(result.Warnings);
        var labels = Labels(test, result.MergeCommit);
        Assert.Equal("system_u:object_r:bin_t:s0", labels["/usr/bin/new"]);
        Assert.Equal("system_u:object_r:usr_t:s0", labels["/usr/lib/link"]);
        Assert.Equal("system_u:object_r:usr_t:s0", labels["/usr/share/added"]);
        Assert.Equal("system_u:object_r:usr_t:s0", labels["/usr/share/added/file"]);
        Assert.Equal("system_u:object_r:usr_t:s0", labels["/usr/share/added/again"]);
        Assert.Equal("system_u:object_r:var_t:s0", labels["/var"]);
        Assert.Equal("system_u:object_r:var_t:s0", labels["/var/lib/state"]);
        // The base was built with a label that its policy does not give; who built it knew why.
        Assert.Equal("base:own:label_t:s0", labels["/usr/bin/odd"]);
        Assert.DoesNotContain(null, labels.Values);
    }

    [Fact]
    public void LayersShareTheirObjectsWithTheMerge()
    {
        var image = Base(Policy).AddTar(Derived);
        var result = test.Import(image);
        var layer = test.Objects(test.Repo.ResolveRequired(ImageRefs.ForLayer(image.Layer(image.Count - 1).Digest)));
        var merge = test.Objects(result.MergeCommit);
        // A second name that asks for another label is another object in the merge.
        foreach (var (path, value) in layer.Where(entry => entry.Value.StartsWith("file", StringComparison.Ordinal) && entry.Key != "/usr/share/added/again"))
        {
            Assert.Equal(merge[path], value);
        }
    }

    [Fact]
    public void TheLabelsDoNotDependOnWhatWasImportedBefore()
    {
        MemoryImage[] images = [Base(Policy).AddTar(Derived), Base(Other).AddTar(Derived), Base(null).AddTar(Derived), Base(Other).AddTar(Derived), new MemoryImage().AddTar(Derived)];
        foreach (var image in images)
        {
            using var fresh = new TestRepo();
            var expected = fresh.Import(image).MergeCommit;
            image.Opened.Clear();
            var actual = test.Import(image).MergeCommit;
            test.RequireSound();
            Assert.Equal(Labels(fresh, expected), Labels(test, actual));
            Assert.Equal(expected, actual);
        }

        // The layer itself came once.
        Assert.DoesNotContain(images[3].Layer(images[3].Count - 1).Digest, images[3].Opened);
    }

    [Fact]
    public void ALayerThatChangesThePolicyLabelsEverythingAgain()
    {
        var image = Base(Policy).AddTar(Derived).AddTar(tar =>
        {
            foreach (var (path, content) in SmallPolicy.Files("etc", Other))
            {
                tar.File(path, content);
            }
        });
        var result = test.Import(image);
        test.RequireSound();
        var labels = Labels(test, result.MergeCommit);
        Assert.Equal("other_u:object_r:new_t:s0", labels["/usr/bin/new"]);
        Assert.Equal("other_u:object_r:lib_t:s0", labels["/usr/lib/link"]);
        Assert.Equal("other_u:object_r:lib_t:s0", labels["/usr/lib"]);
        Assert.Equal("other_u:object_r:lib_t:s0", labels["/usr/lib/base"]);
        Assert.Equal("system_u:object_r:bin_t:s0", labels["/usr/bin/odd"]);
        var layer = Labels(test, test.Repo.ResolveRequired(ImageRefs.ForLayer(image.Layer(image.Count - 2).Digest)));
        Assert.Equal("other_u:object_r:new_t:s0", layer["/usr/bin/new"]);
    }

    [Fact]
    public void AnImageWithoutABaseIsLabelledToo()
    {
        var image = new MemoryImage().AddTar(Derived).AddTar(PolicyFiles(Policy)).AddTar(tar => tar.File("usr/share/.wh.added"));
        var labels = Labels(test, test.Import(image).MergeCommit);
        test.RequireSound();
        Assert.Equal("system_u:object_r:root_t:s0", labels["/"]);
        Assert.Equal("system_u:object_r:bin_t:s0", labels["/usr/bin/new"]);
        Assert.DoesNotContain("/usr/share/added", labels.Keys);
        Assert.DoesNotContain(null, labels.Values);
    }

    [Fact]
    public void AnUnlabelledBaseWithAPolicyIsLabelled()
    {
        var image = Base(Policy, isLabelled: false);
        var result = test.Import(image);
        test.RequireSound();
        var labels = Labels(test, result.MergeCommit);
        Assert.Equal("system_u:object_r:bin_t:s0", labels["/usr/bin/odd"]);
        Assert.DoesNotContain(null, labels.Values);
        Assert.DoesNotContain(Labels(test, result.BaseCommit!.Value).Values, label => label is not null);
    }

    [Fact]
    public void WithoutAPolicyThereIsNothingToDo()
    {
        var result = test.Import(Base(null).AddTar(Derived));
        Assert.Empty(result.Warnings);
        Assert.Null(result.UnappliedPolicy);
        Assert.DoesNotContain(Labels(test, result.MergeCommit).Values, label => label is not null);
        var disabled = test.Import(new MemoryImage().AddTar(PolicyFiles(Policy, "disabled")).AddTar(Derived), "disabled");
        Assert.Empty(disabled.Warnings);
        Assert.DoesNotContain(Labels(test, disabled.MergeCommit).Values, label => label is not null);
    }

    [Fact]
    public void ALabelledImageIsItsCommit()
    {
        var image = Base(Policy);
        var result = test.Import(image);
        Assert.Equal(test.Objects(result.BaseCommit!.Value), test.Objects(result.MergeCommit));
    }

    [Fact]
    public void WhoWantsNoLabelsIsWarnedAndGetsThemLater()
    {
        var image = Base(Policy).AddTar(Derived);
        var result = test.Import(image, options: new ImportOptions { Labels = false });
        Assert.Contains("SELinux policy 'small'", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Equal("small", result.UnappliedPolicy);
        var labels = Labels(test, result.MergeCommit);
        Assert.Null(labels["/usr/bin/new"]);
        Assert.Equal("base:own:label_t:s0", labels["/usr/bin/odd"]);

        image.Opened.Clear();
        var again = test.Import(image);
        Assert.Null(again.UnappliedPolicy);
        Assert.Equal("system_u:object_r:bin_t:s0", Labels(test, again.MergeCommit)["/usr/bin/new"]);
        Assert.Equal([again.Manifest.Config.Digest], image.Opened);
        using var fresh = new TestRepo();
        Assert.Equal(fresh.Import(image).MergeCommit, again.MergeCommit);
    }

    [Fact]
    public void ABrokenPolicyIsAnErrorUnlessNobodyAsks()
    {
        var image = Base(Policy).AddTar(tar => tar.File("etc/selinux/small/contexts/files/.wh.file_contexts")).AddTar(Derived);
        var before = test.VisibleState();
        var error = Assert.Throws<ContainerException>(() => test.Import(image));
        var message = string.Join(": ", Chain(error));
        Assert.Contains("Labelling content by the image's SELinux policy: SELinux policy 'small' has no", message, StringComparison.Ordinal);
        Assert.Equal(before, test.VisibleState());
        test.Import(image, options: new ImportOptions { Labels = false });
    }

    [Theory]
    [InlineData(false, "system_u:object_r:usr_t:s0")]
    [InlineData(true, "system_u:object_r:shadow_t:s0")]
    public void DefaultsAreLabelledAsTheBaseLabelsThem(bool asEtc, string expected) =>
        Assert.Equal(expected, Labels(test, test.Import(Base(Policy, asEtc: asEtc).AddTar(Derived)).MergeCommit)["/usr/etc/shadow"]);

    [Theory]
    [InlineData(RepoMode.Archive)]
    [InlineData(RepoMode.BareUser)]
    public void EveryRepositoryThatHoldsLabelsGetsThem(RepoMode mode)
    {
        using var other = new TestRepo(mode);
        var image = Base(Policy).AddTar(Derived).AddTar(PolicyFiles(Other));
        var result = other.Import(image);
        other.RequireSound();
        Assert.Equal(test.Import(image).MergeCommit, result.MergeCommit);
    }

    private static IEnumerable<string> Chain(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            yield return error.Message;
        }
    }

    private static Action<TarWriter> PolicyFiles(string contexts, string mode = "enforcing") => tar =>
    {
        foreach (var (path, content) in SmallPolicy.Files("etc", contexts, mode))
        {
            tar.File(path, content);
        }
    };

    // An encapsulated commit with a policy, or without one.
    private MemoryImage Base(string? contexts, bool isLabelled = true, bool asEtc = false)
    {
        using var scratch = new ScratchDirectory("base");
        scratch.Write("tree/usr/lib/base", "base");
        scratch.Write("tree/usr/bin/odd", "odd");
        scratch.Write("tree/usr/etc/passwd", "root");
        scratch.MakeDirectory("tree/var");
        if (contexts is not null)
        {
            SmallPolicy.Write(scratch, "tree", contexts: contexts);
        }

        using var repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        using var directory = LinuxDirectory.Open(scratch["tree"]);
        using var policy = isLabelled ? SePolicy.Load(directory) : null;
        using var transaction = repo.BeginTransaction();
        var tree = new MutableTree();
        Func<string, uint, string?>? label = policy is null ? null : asEtc ? policy.LabelDefaultsAsEtc : policy.Label;
        new TreeWriter(transaction, tree, new CommitModifier { Labeler = label is null ? null : (path, mode) => path == "/usr/bin/odd" ? "base:own:label_t:s0" : label(path, mode) })
            .AddDirectory(directory);
        var commit = transaction.WriteCommit(new Commit { RootTree = tree.Write(transaction), RootMeta = tree.Metadata!.Value, Timestamp = 1 });
        transaction.Commit();

        return MemoryImage.Encapsulated(repo, commit, scratch["image"]);
    }

    private static SortedDictionary<string, string?> Labels(TestRepo repo, Checksum commit)
    {
        var labels = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        Walk(MutableTree.FromCommit(repo.Repo, commit), "");
        return labels;

        void Walk(MutableTree tree, string path)
        {
            labels.Add(path.Length == 0 ? "/" : path, repo.Repo.ReadDirMeta(tree.Metadata!.Value).Xattrs.Label);
            foreach (var (name, checksum) in tree.Files)
            {
                labels.Add($"{path}/{name}", repo.Repo.ReadFileHeader(checksum, out _).Xattrs.Label);
            }

            foreach (var (name, directory) in tree.Directories)
            {
                Walk(directory, $"{path}/{name}");
            }
        }
    }
}
