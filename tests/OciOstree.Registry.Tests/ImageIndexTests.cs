namespace OciOstree.Registry.Tests;

public class ImageIndexTests
{
    private static readonly Digest A = Digest.Compute("a"u8);
    private static readonly Digest B = Digest.Compute("b"u8);
    private static readonly Digest C = Digest.Compute("c"u8);

    [Fact]
    public void Takes_the_entry_of_the_platform()
    {
        var index = Index((A, "linux/amd64"), (B, "linux/arm64/v8"), (C, "windows/amd64"));
        Assert.Equal(A, index.Select(new Platform("linux", "amd64"))!.Digest);
        Assert.Equal(B, index.Select(new Platform("linux", "arm64"))!.Digest);
        Assert.Null(index.Select(new Platform("linux", "s390x")));
    }

    [Fact]
    public void Prefers_the_plain_build_and_then_the_variant_asked_for()
    {
        var index = Index((A, "linux/amd64/v3"), (B, "linux/amd64"), (C, "linux/amd64/v2"));
        Assert.Equal(B, index.Select(new Platform("linux", "amd64"))!.Digest);
        Assert.Equal(C, index.Select(new Platform("linux", "amd64", "v2"))!.Digest);
        Assert.Equal(B, index.Select(new Platform("linux", "amd64", "v4"))!.Digest);
    }

    [Fact]
    public void A_single_entry_without_platform_is_for_everyone()
    {
        var index = new ImageIndex { Manifests = [new Descriptor(MediaTypes.OciManifest, A, 1)] };
        Assert.Equal(A, index.Select(Platform.Current)!.Digest);
    }

    [Theory]
    [InlineData("amd64", "linux/amd64")]
    [InlineData("x86_64", "linux/amd64")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm/v7", "linux/arm/v7")]
    public void Reads_platforms_as_people_write_them(string text, string meaning) => Assert.Equal(meaning, Platform.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    public void Refuses_other_platforms(string text) => Assert.Throws<RegistryException>(() => Platform.Parse(text));

    [Fact]
    public void Survives_being_written_and_read()
    {
        var index = Index((A, "linux/arm64/v8")) with { Annotations = new Dictionary<string, string> { ["k"] = "v" } };
        var again = ImageIndex.Parse(index.Serialize());
        Assert.Equal(index.Serialize(), again.Serialize());
        Assert.Equal("linux/arm64/v8", again.Manifests[0].Platform!.ToString());
    }

    private static ImageIndex Index(params (Digest Digest, string Platform)[] entries) => new()
    {
        Manifests = [.. entries.Select(e => new Descriptor(MediaTypes.OciManifest, e.Digest, 1) { Platform = Platform.Parse(e.Platform) })],
    };
}
