using OciOstree.Linux;

namespace OciOstree.Registry.Tests;

/// <summary>What came of a blob before an interruption is not asked for again.</summary>
public sealed class PartialBlobTests : RegistryTest
{
    private readonly byte[] blob = Noise(300_000);
    private readonly string kept;

    public PartialBlobTests()
    {
        Fake.AddBlob(Repository, blob);
        kept = Scratch.MakeDirectory("kept");
    }

    private static string? RangeOf(OciOstree.Testing.HttpExchange exchange) => exchange.Headers.GetValueOrDefault("Range");

    private string[] Asked() => [.. Blobs().Select(exchange => RangeOf(exchange) ?? "all")];

    private List<OciOstree.Testing.HttpExchange> Blobs() => [.. Fake.Server.Requests.Where(exchange => exchange.Path.Contains("/blobs/"))];

    private PartialBlobs Open()
    {
        using var directory = LinuxDirectory.Open(kept);
        return new PartialBlobs(directory);
    }

    /// <summary>Reads some of the blob, as somebody who is then killed.</summary>
    private void ReadSome(int count)
    {
        using var partial = Open();
        using var source = Images.OpenSource(Image, Options);
        using var stream = source.OpenBlob(Describe(blob), partial);
        stream.ReadExactly(new byte[count]);
    }

    private byte[] ReadRest()
    {
        using var partial = Open();
        using var source = Images.OpenSource(Image, Options);
        return ReadAll(source.OpenBlob(Describe(blob), partial));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_rest_is_fetched_and_all_of_it_verified(bool knowsRanges)
    {
        Fake.KnowsRanges = knowsRanges;
        ReadSome(1000);
        ReadSome(200_000);
        Assert.Equal(blob, ReadRest());
        Assert.Equal(["all", "bytes=1000-", "bytes=200000-"], Asked());

        // Kept until it is put to use, with nothing asked for.
        Assert.Equal(blob, ReadRest());
        Assert.Equal(3, Blobs().Count);
        using var partial = Open();
        partial.Remove(Digest.Compute(blob));
        Assert.Empty(Directory.GetFiles(kept));
    }

    [Fact]
    public void A_beginning_that_is_another_is_found_out_and_forgotten()
    {
        ReadSome(1000);
        var file = Directory.GetFiles(kept).Single();
        var bytes = File.ReadAllBytes(file);
        bytes[5] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains("does not have this digest", Assert.Throws<RegistryException>(ReadRest).Message);
        Assert.Empty(Directory.GetFiles(kept));
        Assert.Equal(blob, ReadRest());
    }

    [Fact]
    public void More_than_the_blob_is_not_its_beginning()
    {
        ReadSome(1000);
        File.AppendAllText(Directory.GetFiles(kept).Single(), new string('x', blob.Length));
        Assert.Equal(blob, ReadRest());
        Assert.Empty(Directory.GetFiles(kept));
    }

    [Fact]
    public void Two_at_once_do_not_share_a_file()
    {
        using var partial = Open();
        using var source = Images.OpenSource(Image, Options);
        using var first = source.OpenBlob(Describe(blob), partial);
        first.ReadExactly(new byte[10]);
        Assert.Equal(blob, ReadRest());

        // Who clears up leaves alone what is being fetched.
        partial.Clear();
        Assert.Single(Directory.GetFiles(kept));
        first.CopyTo(Stream.Null);
    }

    [Fact]
    public void Another_boot_does_not_trust_what_may_not_have_reached_the_disk()
    {
        ReadSome(1000);
        var file = Directory.GetFiles(kept).Single();
        File.Move(file, file.Replace(BootId.Current, "00000000-0000-0000-0000-000000000000"));
        File.WriteAllText(Path.Combine(kept, "other"), "");
        using (var partial = Open())
        {
            partial.ClearOfOtherBoots();
        }

        Assert.Equal([Path.Combine(kept, "other")], Directory.GetFiles(kept));
        Assert.Equal(blob, ReadRest());
        Assert.Equal(["all", "all"], Asked());
    }
}
