using OciOstree.Formats.Compression;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests.Encapsulation;

/// <summary>The layers that we make of a tree are those that ostree-ext 0.15.3 made of it.</summary>
public sealed class GoldenEncapsulationTests : IDisposable
{
    private readonly EncapsulationFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData(RepoMode.Archive)]
    [InlineData(RepoMode.BareUser)]
    [InlineData(RepoMode.Bare)]
    public void ChunkedByContentMetadata(RepoMode mode)
    {
        using Repo repo = fixture.CreateRepo(mode: mode);
        Checksum commit = fixture.ImportAlpha(repo);
        (Manifest peerManifest, ImageConfig peer) = fixture.Read(fixture.UnpackGolden("alpha-chunked"));
        ContentMeta meta = ContentMeta.Parse(File.ReadAllBytes(EncapsulationFixture.Golden("contentmeta.json")));

        EncapsulationResult made = fixture.Encapsulate(repo, commit, "ours", new EncapsulateOptions { ContentMeta = meta, Platform = new("linux", "amd64") });

        for (int i = 0; i < peerManifest.Layers.Count; i++)
        {
            Assert.Equal(fixture.List("alpha-chunked", peerManifest.Layers[i]), fixture.List("ours", made.Manifest.Layers[i]));
        }

        Assert.Equal(peer.DiffIds, made.Config.DiffIds);
        Assert.Equal(peer.Labels.OrderBy(l => l.Key), made.Config.Labels.OrderBy(l => l.Key));
        Assert.Equal(peerManifest.Annotations!.OrderBy(l => l.Key), made.Manifest.Annotations!.OrderBy(l => l.Key));
        Assert.Equal(peer.Created, made.Config.Created);
        Assert.Equal(peer.History.Select(h => h.CreatedBy), made.Config.History.Select(h => h.CreatedBy));
        Assert.Equal(peerManifest.Layers.Select(l => l.MediaType), made.Manifest.Layers.Select(l => l.MediaType));
        Assert.Equal(
            peerManifest.Layers.Select(l => l.Annotations?[ChunkPlan.ComponentsAnnotation]), made.Manifest.Layers.Select(l => l.Annotations?[ChunkPlan.ComponentsAnnotation]));
        Assert.Equal(peer.Platform, made.Config.Platform);
    }

    [Fact]
    public void OneLayer()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = fixture.ImportAlpha(repo);
        (Manifest peerManifest, ImageConfig peer) = fixture.Read(fixture.UnpackGolden("alpha-single"));
        var labels = new Dictionary<string, string> { ["foo"] = "bar", ["org.example.k"] = "v" };

        EncapsulationResult made = fixture.Encapsulate(repo, commit, "ours", new EncapsulateOptions { MaxLayers = 1, Labels = labels });

        Assert.Equal(fixture.List("alpha-single", peerManifest.Layers[0]), fixture.List("ours", made.Manifest.Layers[0]));
        Assert.Equal(peer.DiffIds, made.Config.DiffIds);
        Assert.Equal(peer.Labels.OrderBy(l => l.Key), made.Config.Labels.OrderBy(l => l.Key));
    }

    [Fact]
    public void NeitherThreadsNorTimeNorStorageChangeTheImage()
    {
        var digests = new HashSet<Digest>();
        foreach (RepoMode mode in new[] { RepoMode.Archive, RepoMode.BareUser })
        {
            using Repo repo = fixture.CreateRepo("repo-" + mode, mode);
            Checksum commit = fixture.ImportAlpha(repo);
            foreach (int threads in new[] { 1, 2, 7 })
            {
                digests.Add(fixture.Encapsulate(repo, commit, $"ours-{mode}-{threads}", new EncapsulateOptions { Threads = threads }).Digest);
            }
        }

        Assert.Single(digests);
    }

    [Theory]
    [InlineData(CompressionKind.Gzip, 1, MediaTypes.OciLayerGzip)]
    [InlineData(CompressionKind.Zstd, 0, MediaTypes.OciLayerZstd)]
    [InlineData(CompressionKind.None, 0, MediaTypes.OciLayer)]
    public void CompressionChangesBlobsOnly(CompressionKind kind, int level, string mediaType)
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = fixture.ImportAlpha(repo);
        EncapsulationResult usual = fixture.Encapsulate(repo, commit, "usual");
        EncapsulationResult other = fixture.Encapsulate(repo, commit, "other", new EncapsulateOptions { Compression = kind, CompressionLevel = level });
        Assert.Equal(usual.Config.DiffIds, other.Config.DiffIds);
        Assert.All(other.Manifest.Layers, l => Assert.Equal(mediaType, l.MediaType));
        Assert.NotEqual(usual.Digest, other.Digest);

        using var importer = new ImageImporter(fixture.CreateRepo("back"), OstreeImageReference.Parse($"ostree-unverified-image:oci:{fixture["other"]}"));
        Assert.Equal(commit, importer.Unencapsulate());
    }
}
