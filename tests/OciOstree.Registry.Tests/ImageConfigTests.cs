using System.Text;

namespace OciOstree.Registry.Tests;

public class ImageConfigTests
{
    [Fact]
    public void Keeps_what_it_does_not_know_at_every_level()
    {
        const string Json = """
            {"architecture":"amd64","config":{"Cmd":["/bin/sh"],"ExposedPorts":{"80/tcp":{}},"Labels":{"a":"b"},"Volumes":{"/data":{}}},"created":"2026-03-04T05:06:07Z","docker_version":"20",
            "history":[{"created_by":"x","empty_layer":true,"future":1}],"os":"linux","os.version":"1","rootfs":{"diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],"type":"layers"}}
            """;
        var config = ImageConfig.Parse(Encoding.UTF8.GetBytes(Json));
        Assert.Equal("b", config.Labels["a"]);
        Assert.True(config.History[0].EmptyLayer);
        Assert.Equal(Json.ReplaceLineEndings(""), Encoding.UTF8.GetString(config.Serialize()));

        var changed = config with { Config = config.Config! with { Labels = new Dictionary<string, string> { ["a"] = "c" } } };
        Assert.Contains("ExposedPorts", Encoding.UTF8.GetString(changed.Serialize()));
    }

    [Fact]
    public void Nulls_of_other_writers_count_as_missing()
    {
        var config = ImageConfig.Parse("""{"architecture":"arm64","os":"linux","config":{"Labels":null,"Cmd":null,"Env":null},"rootfs":null,"history":null}"""u8.ToArray());
        Assert.Empty(config.Labels);
        Assert.Empty(config.DiffIds);
    }

    [Theory]
    [InlineData("""{"rootfs":{"diff_ids":["x"]}}""")]
    [InlineData("""{"rootfs":[]}""")]
    [InlineData("""{"config":{"Labels":{"a":{}}}}""")]
    [InlineData("""{"history":[1]}""")]
    [InlineData("""{"config":"x"}""")]
    public void Refuses_the_wrong_shapes(string json) => Assert.Throws<RegistryException>(() => ImageConfig.Parse(Encoding.UTF8.GetBytes(json)));
}
