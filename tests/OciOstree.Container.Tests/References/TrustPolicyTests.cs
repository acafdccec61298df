namespace OciOstree.Container.Tests;

public sealed class TrustPolicyTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public void RefusesAPolicyThatAcceptsAnything()
    {
        File.WriteAllText(path, """{"default": [{"type": "insecureAcceptAnything"}]}""");
        var e = Assert.Throws<ContainerException>(() => TrustPolicy.RequireStrict(path));
        Assert.Contains("insecureAcceptAnything", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"default": [{"type": "reject"}]}""")]
    [InlineData("""{"default": [{"type": "reject"}], "transports": {"docker": {"x": [{"type": "insecureAcceptAnything"}]}}}""")]
    public void AcceptsAStricterOne(string policy)
    {
        File.WriteAllText(path, policy);
        TrustPolicy.RequireStrict(path);
    }

    [Fact]
    public void SaysWhichFileIsBroken()
    {
        File.WriteAllText(path, "{");
        Assert.Contains(path, Assert.Throws<ContainerException>(() => TrustPolicy.RequireStrict(path)).Message, StringComparison.Ordinal);
    }
}
