namespace OciOstree.Container.Tests;

public class ImageJsonTests
{
    [Theory]
    [InlineData("""{ "b": [1, -2, 3.5e1], "a": {"z": null, "y": true} }""", """{"a":{"y":true,"z":null},"b":[1,-2,3.5e1]}""")]
    [InlineData("""{"k":"tab\tline\nquote\"back\\bell\u0007é\ud83e\udd8a\/"}""", """{"k":"tab\tline\nquote\"back\\bell\u0007é🦊/"}""")]
    public void SortsAndPacksAndStaysJson(string json, string canonical)
    {
        var result = ImageJson.Canonical(System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Equal(canonical, result);
        Assert.Equal(result, ImageJson.Canonical(System.Text.Encoding.UTF8.GetBytes(result)));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"half":"\ud800"}""")]
    public void RefusesWhatIsNoJson(string json) => Assert.Throws<ContainerException>(() => ImageJson.Canonical(System.Text.Encoding.UTF8.GetBytes(json)));
}
