namespace OciOstree.Container.Tests;

/// <summary>Where layers' content outside of <c>/usr</c> and <c>/etc</c> goes, when somebody chooses, and what is remembered of the choice.</summary>
public sealed class TopLevelTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private static MemoryImage Image()
    {
        var image = new MemoryImage();
        image.AddTar(tar =>
        {
            tar.File("usr/x", "x");
            tar.File("opt/app/x", "app");
            tar.File("srv/x", "srv");
            tar.Directory("var");
            tar.File("var/lib/x", "state");
            tar.File("run/x", "gone");
            tar.HardLink("usr/lib/app", "opt/app/x");
        });
        return image.AddTar(tar =>
        {
            tar.File("usr/y", "y");
            tar.File("opt/app/y", "app");
            tar.File(".wh.srv");
        });
    }

    private static ImportOptions By(params string[] rules) => new() { TopLevels = TopLevelRules.Parse(rules) };

    private string[] Files(ImportedImage image) => [.. test.Tree(image.MergeCommit).Where(entry => entry.Value[0] == 'f').Select(entry => entry.Key)];

    [Theory]
    [InlineData("*=keep", "/opt/app/x /opt/app/y /usr/lib/app /usr/x /usr/y /var/lib/x")]
    [InlineData("*=drop", "/usr/lib/app /usr/x /usr/y /var/lib/x")]
    [InlineData("*=drop opt=keep", "/opt/app/x /opt/app/y /usr/lib/app /usr/x /usr/y /var/lib/x")]
    [InlineData("*=drop var=drop", "/usr/lib/app /usr/x /usr/y")]
    [InlineData("var=factory opt=factory", "/usr/lib/app /usr/share/factory/opt/app/x /usr/share/factory/opt/app/y /usr/share/factory/var/lib/x /usr/x /usr/y")]
    [InlineData("*=drop /run=keep", "/run/x /usr/lib/app /usr/x /usr/y /var/lib/x")]
    public void ContentGoesWhereTheRulesSay(string rules, string expected)
    {
        var image = test.Import(Image(), options: By(rules.Split(' ')));
        test.RequireSound();
        Assert.Equal(expected.Split(' '), Files(image));
        Assert.Equal(rules.Contains("var=drop", StringComparison.Ordinal), test.Tree(image.MergeCommit).TryGetValue("/var", out var var) && !test.Tree(image.MergeCommit).ContainsKey("/var/lib") && var[0] == 'd');
    }

    [Fact]
    public void OtherRulesAreAnotherImportAndTheSameOnesAreNone()
    {
        var image = Image();
        var dropping = test.Import(image, options: By("*=drop"));
        image.Opened.Clear();
        Assert.Equal(dropping.MergeCommit, test.Import(image, options: By("*=drop")).MergeCommit);
        // Nobody says anything: the image is treated as before.
        Assert.Equal(dropping.MergeCommit, test.Import(image).MergeCommit);
        Assert.Empty(image.Opened);

        var keeping = test.Import(image, options: By("*=keep"));
        Assert.Equal(2, image.Opened.Count(digest => digest == image.Layer(0).Digest || digest == image.Layer(1).Digest));
        Assert.Contains("/opt/app/x", Files(keeping));
        Assert.Equal("*=keep", keeping.TopLevels.ToString());

        using var fresh = new TestRepo();
        Assert.Equal(fresh.Import(image, options: By("*=keep")).MergeCommit, keeping.MergeCommit);
        Assert.Equal(fresh.Import(image, options: By("default")).MergeCommit, test.Import(image, options: By("default")).MergeCommit);
    }

    [Fact]
    public void AnUpdateGoesByTheRulesOfWhatItReplaces()
    {
        test.Import(Image(), options: By("opt=factory"));
        var update = Image().AddTar(tar => tar.File("opt/app/z", "new"));
        update.Opened.Clear();
        var imported = test.Import(update);
        Assert.Contains("/usr/share/factory/opt/app/z", Files(imported));
        // The layers that the old image has are good for the new one.
        Assert.Equal([update.Layer(2).Digest], update.Opened.Where(digest => digest != update.FetchManifest().Manifest.Config.Digest));
    }

    [Fact]
    public void ALayerIsFetchedAgainOnlyIfTheRulesAreAboutIt()
    {
        var image = new MemoryImage().AddTar(tar => tar.File("usr/x", "x")).AddTar(tar => tar.File("opt/x", "x"));
        test.Import(image, options: By("*=drop"));
        image.Opened.Clear();
        test.Import(image, options: By("*=keep"));
        Assert.DoesNotContain(image.Layer(0).Digest, image.Opened);
        Assert.Contains(image.Layer(1).Digest, image.Opened);
    }

    [Fact]
    public void ALayerOfABaseWithAnotherRootIsReadAgain()
    {
        var layer = MemoryImage.Tar(tar => tar.File("opt/x", "x"));
        var plain = MemoryImage.Encapsulated(test.Repo, test.CommitFiles(("usr/base", "1")), test.Scratch["plain"]).AddTar(layer);
        var transient = MemoryImage.Encapsulated(
            test.Repo, test.CommitFiles(("usr/base", "1"), ("usr/lib/ostree/prepare-root.conf", "[root]\ntransient=true\n")), test.Scratch["transient"]).AddTar(layer);
        Assert.DoesNotContain("/opt/x", Files(test.Import(plain, "plain")));
        Assert.Contains("/opt/x", Files(test.Import(transient, "transient")));
        Assert.DoesNotContain("/opt/x", Files(test.Import(plain.AddTar(tar => tar.File("usr/new", "n")), "plain")));
    }

    [Fact]
    public void WhatWasLeftOutOfALayerIsToldWhereverItIsUsed()
    {
        var first = Image();
        var expected = test.Import(first, "first", By("*=drop")).Dropped.Warnings().ToArray();
        var again = test.Import(Image().AddTar(tar => tar.File("usr/z", "z")), "second", By("*=drop"));
        Assert.Equal(expected, again.Dropped.Warnings());
        Assert.Contains("opt: 2", expected[0], StringComparison.Ordinal);
        Assert.Contains("opt/app/x", expected[1], StringComparison.Ordinal);
    }

    [Fact]
    public void WarningsAreBoundedHoweverMuchIsLeftOut()
    {
        var image = test.Import(new MemoryImage().AddTar(tar =>
        {
            for (var i = 0; i < 5000; i++)
            {
                tar.File($"run/{i}", "");
            }
        }));
        string[] warnings = [.. image.Dropped.Warnings()];
        Assert.All(warnings, warning => Assert.InRange(warning.Length, 1, 1000));
        Assert.Contains("… and 4990 more", warnings[1], StringComparison.Ordinal);
        Assert.Equal(5000, image.Dropped.Paths.Values.Sum() + image.Dropped.OtherPathCount);
    }

    [Fact]
    public void ThePhysicalRootIsNeverContent()
    {
        const string Object = "sysroot/ostree/repo/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd.file";
        var tree = test.Tree(test.Import(new MemoryImage().AddTar(tar =>
        {
            tar.Directory("sysroot");
            tar.File(Object, "rewritten", modified: 100);
            tar.HardLink("usr/bin/one", Object, modified: 100);
        }), options: By("*=keep")).MergeCommit);
        Assert.Equal(["/", "/sysroot", "/usr", "/usr/bin", "/usr/bin/one"], tree.Keys);
        Assert.Equal("f 644 0 rewritten", tree["/usr/bin/one"]);
    }

    [Theory]
    [InlineData("opt", "is no rule")]
    [InlineData("opt=maybe", "is no rule")]
    [InlineData("=keep", "is no rule")]
    [InlineData("usr=drop", "no choice about 'usr'")]
    [InlineData("etc=drop", "no choice about 'etc'")]
    [InlineData("sysroot=keep", "no choice about 'sysroot'")]
    [InlineData("opt/app=keep", "no top-level directory")]
    [InlineData("..=keep", "no choice about")]
    public void RulesThatMakeNoSense(string rule, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => TopLevelRules.Parse(rule)).Message, StringComparison.Ordinal);
}
