namespace OciOstree.Sysroot.Tests;

public class BootNamesTests
{
    private const string Checksum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void Deployment_names_and_boot_links_survive_parsing()
    {
        Assert.Equal($"{Checksum}.17", DeploymentName.Parse($"{Checksum}.17").ToString());
        string link = $"/ostree/boot.1/debian/{Checksum}/3";
        Assert.Equal(link, BootLink.Parse(link).ToString());
        Assert.Equal(1, BootLink.Parse(link).BootVersion);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc.0")]
    [InlineData(Checksum)]
    [InlineData(Checksum + ".")]
    [InlineData(Checksum + ".-1")]
    [InlineData(Checksum + ".1.origin")]
    [InlineData(Checksum + ".99999999999999999999")]
    public void Bad_deployment_names_are_refused(string name) => Assert.Throws<SysrootException>(() => DeploymentName.Parse(name));

    [Theory]
    [InlineData("")]
    [InlineData("/ostree/boot.2/os/csum/0")]
    [InlineData("ostree/boot.0/os/csum/0")]
    [InlineData("/ostree/boot.0/os//0")]
    [InlineData("/ostree/boot.0/../csum/x")]
    [InlineData("/ostree/boot.0/os/csum/0/more")]
    public void Bad_boot_links_are_refused(string link) => Assert.Throws<SysrootException>(() => BootLink.Parse(link));

    [Theory]
    [InlineData("ostree-1.conf", 0, 0)]
    [InlineData("ostree-1+3.conf", 3, 0)]
    [InlineData("ostree-1+2-1.conf", 2, 1)]
    [InlineData("ostree-1+x.conf", 0, 0)]
    [InlineData("ostree-1+-1.conf", 0, 0)]
    [InlineData("ostree-1+1-.conf", 0, 0)]
    public void Tries_are_read_from_names(string name, ulong left, ulong done) => Assert.Equal((left, done), BootTries.Parse(name));
}
