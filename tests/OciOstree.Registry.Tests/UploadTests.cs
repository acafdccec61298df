using System.Text;

namespace OciOstree.Registry.Tests;

public class UploadTests : RegistryTest
{
    private readonly byte[] blob = Noise(300_000);

    [Fact]
    public void Sends_what_is_missing_and_nothing_else()
    {
        using var destination = Images.OpenDestination(Image, Options);
        destination.PutBlob(Describe(blob), Open);
        destination.PutBlob(Describe(blob), Open);
        using (var writer = destination.CreateBlob())
        {
            writer.Write(blob);
            Assert.Equal(Digest.Compute(blob), writer.Complete(MediaTypes.OciLayer).Digest);
        }

        Assert.Equal(blob, Stored(blob));
        Assert.Equal((blob.Length, 2 * blob.Length), (destination.BytesSent, destination.BytesSkipped));
        Assert.Single(Fake.Server.Requests, e => e.Method == "PATCH");
    }

    [Fact]
    public void The_name_appears_last()
    {
        using (var destination = Images.OpenDestination(Image, Options))
        {
            destination.PutManifest(Bytes("{}"), MediaTypes.OciManifest);
            Assert.Empty(Fake.Manifests);
        }

        Assert.Empty(Fake.Manifests);
        using (var destination = Images.OpenDestination(Image, Options))
        {
            destination.PutManifest(Bytes("{}"), MediaTypes.OciManifest);
            destination.Finish();
        }

        Assert.Equal(MediaTypes.OciManifest, Fake.Manifests[$"{Repository}:v1"].MediaType);
    }

    [Fact]
    public void A_broken_upload_goes_on_where_it_broke()
    {
        var patches = 0;
        var arrived = 0;
        Fake.Server.BreakBodyAt = (method, _) => method == "PATCH" && ++patches == 1 ? 100_000 : null;

        // The registry kept what came before the break.
        Fake.Intercept = exchange =>
        {
            if (exchange.Method == "GET" && exchange.Path.Contains("/uploads/") && arrived == 0)
            {
                arrived = 100_000;
                var url = exchange.Target;
                exchange.Respond(204, null, ("Range", $"0-{arrived - 1}"), ("Location", url));
                return true;
            }

            if (exchange.Method == "PATCH" && arrived > 0)
            {
                Assert.Equal($"{arrived}-{blob.Length - 1}", exchange.Headers["Content-Range"]);
                Assert.Equal(blob[arrived..], exchange.Body);
                exchange.Respond(202, null, ("Location", exchange.Target));
                return true;
            }

            if (exchange.Method == "PUT" && arrived > 0)
            {
                Fake.AddBlob(Repository, blob);
                exchange.Respond(201);
                return true;
            }

            return false;
        };
        Put();
        Assert.Equal(2, patches);
        Assert.Equal(blob, Stored(blob));
    }

    [Fact]
    public void A_lost_upload_begins_anew()
    {
        var patches = 0;
        Fake.Intercept = exchange =>
        {
            if (exchange.Method == "PATCH" && ++patches < 3)
            {
                exchange.Respond(patches == 1 ? 500 : 404);
                return true;
            }

            return false;
        };
        Put();
        Assert.Equal(blob, Stored(blob));
    }

    [Fact]
    public void Tries_are_counted()
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Method != "PATCH")
            {
                return false;
            }

            exchange.Respond(503);
            return true;
        };
        var message = Message(Assert.Throws<RegistryException>(Put));
        Assert.Contains("after 4 tries", message);
        Assert.Contains(Fake.Host, message);
    }

    [Fact]
    public void A_registry_without_patch_gets_one_put()
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Method != "PATCH")
            {
                return false;
            }

            exchange.Respond(405);
            return true;
        };
        Put();
        Assert.Equal(blob, Stored(blob));
        Assert.Equal(blob.Length, Fake.Server.Requests.Single(e => e.Method == "PUT").Body.Length);
    }

    [Fact]
    public void What_the_registry_refuses_is_not_tried_again()
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Method != "POST")
            {
                return false;
            }

            exchange.Respond(403, Bytes("""{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"""));
            return true;
        };
        Assert.Contains("403 access denied (requested access to the resource is denied)", Message(Assert.Throws<RegistryException>(Put)));
        Assert.Single(Fake.Server.Requests, e => e.Method == "POST");
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://[")]
    [InlineData(null)]
    public void An_upload_goes_nowhere_but_the_web(string? location)
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Method != "POST")
            {
                return false;
            }

            exchange.Respond(202, null, location is null ? [] : [("Location", location)]);
            return true;
        };
        Assert.Contains(Fake.Host, Message(Assert.Throws<RegistryException>(Put)));
    }

    [Fact]
    public void Cancelling_ends_an_upload_that_waits()
    {
        Fake.Intercept = exchange =>
        {
            if (exchange.Method == "PATCH")
            {
                Over.Wait(TimeSpan.FromMinutes(1));
            }

            return false;
        };
        Options = Options with { StallTimeout = TimeSpan.FromMinutes(2) };
        using var stop = new CancellationTokenSource(300);
        using var destination = Images.OpenDestination(Image, Options);
        Assert.ThrowsAny<OperationCanceledException>(() => destination.PutBlob(Describe(blob), Open, stop.Token));
    }

    [Fact]
    public void Content_that_is_not_as_described_is_never_stored()
    {
        var wrong = (byte[])blob.Clone();
        wrong[7] ^= 1;
        foreach (var content in new[] { wrong, blob[..^1], [.. blob, 0] })
        {
            using var destination = Images.OpenDestination(Image, Options);
            Assert.Throws<RegistryException>(() => destination.PutBlob(Describe(blob), () => new MemoryStream(content)));
        }

        Assert.Empty(Fake.Blobs);
        Assert.Equal(3, Fake.Server.Requests.Count(e => e.Method == "POST"));
    }

    [Fact]
    public void Between_repositories_of_one_registry_blobs_are_mounted()
    {
        Fake.AddImage("other/place", "v9", blob);
        var result = Images.Copy(ImageReference.Parse($"docker://{Fake.Host}/other/place:v9"), Image, null, Options, Options);
        Assert.Equal(blob, Stored(blob));
        Assert.Equal(0, result.BytesSent);
        Assert.DoesNotContain(Fake.Server.Requests, e => e.Method == "PATCH");
        Assert.Equal(Fake.Manifests["other/place:v9"].Bytes, Fake.Manifests[$"{Repository}:v1"].Bytes);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    public void Where_mounting_is_refused_blobs_are_sent(int status)
    {
        Fake.AddImage("other/place", "v9", blob);
        Fake.Intercept = exchange =>
        {
            if (exchange.Query("mount") is null)
            {
                return false;
            }

            exchange.Respond(status);
            return true;
        };
        Images.Copy(ImageReference.Parse($"docker://{Fake.Host}/other/place:v9"), Image, null, Options, Options);
        Assert.Equal(blob, Stored(blob));
    }

    [Fact]
    public void An_image_written_by_digest_must_have_it()
    {
        var reference = ImageReference.Parse($"docker://{Fake.Host}/{Repository}@{Digest.Compute("x"u8)}");
        using var destination = Images.OpenDestination(reference, Options);
        destination.PutManifest(Bytes("{}"), MediaTypes.OciManifest);
        Assert.Contains("should be written as", Assert.Throws<RegistryException>(() => destination.Finish()).Message);
        Assert.Empty(Fake.Manifests);
    }

    [Fact]
    public void Whole_indexes_are_copied()
    {
        var amd = Fake.AddImage("from", "amd", Noise(10));
        var arm = Fake.AddImage("from", "arm", Noise(20));
        var json = $$"""{"schemaVersion":2,"manifests":[{{Entry(amd, "amd64")}},{{Entry(arm, "arm64")}}]}""";
        var index = Fake.AddManifest("from", "all", json, MediaTypes.OciIndex);
        var result = Images.Copy(ImageReference.Parse($"docker://{Fake.Host}/from:all"), Image, new CopyOptions { AllPlatforms = true }, Options, Options);
        Assert.Equal(index, result.Digest.ToString());
        Assert.True(Fake.Manifests.ContainsKey($"{Repository}@{arm}"));

        // And into a layout and out again, with the same digest.
        var layout = ImageReference.Parse($"oci:{Scratch["layout"]}:all");
        Assert.Equal(index, Images.Copy(Image, layout, new CopyOptions { AllPlatforms = true }, Options).Digest.ToString());
        using var source = Images.OpenSource(layout);
        Assert.Equal(arm, source.FetchManifest(new Platform("linux", "arm64")).Digest.ToString());

        string Entry(string digest, string architecture) =>
            $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{digest}}}","size":{{{Fake.Manifests[$"from@{digest}"].Bytes.Length}}},"platform":{"os":"linux","architecture":"{{{architecture}}}"}}""";
    }

    private MemoryStream Open() => new(blob);

    private void Put()
    {
        using var destination = Images.OpenDestination(Image, Options);
        destination.PutBlob(Describe(blob), Open);
    }

    private byte[] Stored(byte[] content) => Fake.Blobs[$"{Repository}@{Digest.Compute(content)}"];
}
