using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

public class ImageCopyTests
{
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "golden", "alpha-derived.ociarchive");

    [Theory]
    [InlineData(RepoMode.Bare)]
    [InlineData(RepoMode.Archive)]
    public void AnImageIsWholeInTheOtherRepository(RepoMode mode)
    {
        using var from = new TestRepo();
        using var to = new TestRepo(mode);
        var image = from.Import(MemoryImage.FromArchive(Golden));
        var name = TestRepo.Reference("test").Image;
        new ImageStore(from.Repo).CopyTo(to.Repo, name);

        var copied = new ImageStore(to.Repo).Require(name);
        Assert.Equal((image.MergeCommit, image.ManifestDigest), (copied.MergeCommit, copied.ManifestDigest));
        Assert.Equal(from.VisibleState(), to.VisibleState());
        Assert.Equal(from.Objects(image.MergeCommit), to.Objects(copied.MergeCommit));
        Assert.Equal(0, new ImageStore(to.Repo).PruneLayers());
        to.RequireSound();
    }

    [Fact]
    public void AnImageThatIsNotThereIsNamed()
    {
        using var from = new TestRepo();
        using var to = new TestRepo();
        var e = Assert.Throws<ContainerException>(() => new ImageStore(from.Repo).CopyTo(to.Repo, ImageReference.Parse("docker://a.b/c:d")));
        Assert.Contains("docker://a.b/c:d", e.Message);
        Assert.Empty(to.VisibleState());
    }
}
