using OciOstree.Formats.GVariant;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

public sealed class DetachedMetadataTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("detached");

    private readonly List<TestRepo> repos = [];

    public void Dispose()
    {
        repos.ForEach(repo => repo.Dispose());
        scratch.Dispose();
    }

    [Theory]
    [InlineData("alpha-single.ociarchive")]
    [InlineData("alpha-chunked.ociarchive")]
    [InlineData("alpha-derived.ociarchive")]
    public void It_comes_with_the_commit_and_goes_again(string name)
    {
        string golden = Path.Combine(AppContext.BaseDirectory, "golden", name);
        using MemoryImage before = MemoryImage.FromArchive(golden);
        byte[] metadata = Variant.Dictionary([new("signature", Variant.String("mine"))]).Data.ToArray();
        using MemoryImage signed = Replace(before, metadata, "signed");
        Assert.Equal("'mine'", Import(signed, out Checksum commit).ReadCommitMeta(commit)!.Lookup("signature")!.Print());
        Assert.Equal(Others(before), Others(signed));

        // Another in its place, and then none: the layer is what it was at first.
        using MemoryImage other = Replace(signed, Variant.Dictionary([new("other", Variant.String("x"))]).Data.ToArray(), "other");
        Assert.Null(Import(other, out commit).ReadCommitMeta(commit)!.Lookup("signature"));
        using MemoryImage none = Replace(other, null, "none");
        Assert.Null(Import(none, out commit).ReadCommitMeta(commit));
        Assert.Equal(before.FetchConfig(before.FetchManifest().Manifest).DiffIds, none.FetchConfig(none.FetchManifest().Manifest).DiffIds);
        Assert.Equal(before.FetchConfig(before.FetchManifest().Manifest).Labels, none.FetchConfig(none.FetchManifest().Manifest).Labels);
    }

    [Fact]
    public void What_is_no_metadata_is_refused()
    {
        using MemoryImage image = MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-single.ociarchive"));
        Assert.Throws<ContainerException>(() => Replace(image, [1, 2, 3], "x"));
        Assert.Throws<ContainerException>(() => Replace(new MemoryImage().AddTar(tar => tar.File("usr/x")), null, "y"));
    }

    [Fact]
    public void A_layer_that_was_tampered_with_is_refused()
    {
        using MemoryImage image = MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-single.ociarchive"));
        byte[] whole = image.Blob(0);
        for (int length = 0; length < whole.Length; length += whole.Length / 20)
        {
            image.Tamper(0, _ => whole[..length]);
            Assert.ThrowsAny<Exception>(() => Replace(image, null, "z")).Should();
        }
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    public void A_stream_that_is_no_layer_is_refused(byte[] bytes) =>
        Assert.Throws<ContainerException>(() => DetachedMetadataLayer.Rewrite(new MemoryStream(bytes), Stream.Null, null));

    private static IEnumerable<string> Others(MemoryImage image) =>
        image.FetchManifest().Manifest.Layers.Skip(1).Select(layer => $"{layer.Digest} {string.Join(' ', layer.Annotations ?? new Dictionary<string, string>())}");

    private MemoryImage Replace(MemoryImage image, byte[]? metadata, string name)
    {
        string path = scratch[name + ".ociarchive"];
        using (IImageDestination destination = Images.OpenDestination(ImageReference.Parse($"oci-archive:{path}")))
        {
            DetachedMetadata.Replace(image, destination, metadata);
        }

        return MemoryImage.FromArchive(path);
    }

    private Repo Import(MemoryImage image, out Checksum commit)
    {
        var test = new TestRepo();
        repos.Add(test);
        commit = test.Import(image).BaseCommit!.Value;
        test.RequireSound();
        return test.Repo;
    }
}

file static class Failures
{
    /// <summary>One of the failures that users are told of.</summary>
    public static void Should(this Exception e) => Assert.True(e is ContainerException or RegistryException, e.ToString());
}
