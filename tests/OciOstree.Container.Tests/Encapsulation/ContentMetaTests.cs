using System.Text;
using OciOstree.Repository;

namespace OciOstree.Container.Tests.Encapsulation;

public sealed class ContentMetaTests : IDisposable
{
    private static readonly string Hex = new('a', 64);
    private readonly EncapsulationFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void ThePeersFormIsRead()
    {
        ContentMeta meta = ContentMeta.Parse(File.ReadAllBytes(EncapsulationFixture.Golden("contentmeta.json")));
        Assert.Equal(["rest", "usr-bin-app", "usr-bin-app-link", "usr-bin-sgid", "usr-bin-suid", "usr-etc-app", "usr-lib-modules", "usr-share-doc"], meta.Components.Select(c => c.Id));
        Assert.Equal("pkg rest", meta.Components[0].Name);
        Assert.Equal(21, meta.Owners.Count);
        Assert.Equal("2026-03-04T05:06:07Z", meta.Created);
        Assert.Equal("z", meta.Labels["x.y"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":2,\"layers\":{},\"mapping\":{}}")]
    [InlineData("{\"version\":\"1\",\"layers\":{},\"mapping\":{}}")]
    [InlineData("{\"version\":1,\"mapping\":{}}")]
    [InlineData("{\"version\":1,\"layers\":{}}")]
    [InlineData("{\"version\":1,\"layers\":[],\"mapping\":{}}")]
    [InlineData("{\"version\":1,\"layers\":{\"a\":1},\"mapping\":{}}")]
    [InlineData("{\"version\":1,\"layers\":{\"a\":\"A\",\"a\":\"B\"},\"mapping\":{}}")]
    [InlineData("{\"version\":1,\"layers\":{},\"mapping\":{},\"ordered\":true}")]
    [InlineData("{\"version\":1,\"layers\":{},\"mapping\":{},\"created\":\"soon\"}")]
    [InlineData("{\"version\":1,\"layers\":{\"a\":\"A\"},\"mapping\":{\"short\":\"a\"}}")]
    [InlineData("{\"version\":1,\"layers\":{\"a\":\"A\"},\"mapping\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":\"b\"}}")]
    public void OtherFormsAreRefused(string json) => Assert.Throws<ContainerException>(() => ContentMeta.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void UnpackagedContentChangesAtEveryBuild()
    {
        ContentMeta meta = ContentMeta.Parse(Encoding.UTF8.GetBytes($$$"""{"version":1,"layers":{"unpackaged":"u","b":"B"},"mapping":{"{{{Hex}}}":"b"},"created":null,"ordered":false}"""));
        Assert.Equal([Component.EveryBuild, 1u], meta.Components.Select(c => c.ChangeFrequency));
    }

    [Theory]
    [InlineData("usr/lib/sysimage/dpkg")]
    [InlineData("usr/share/dpkg")]
    [InlineData("usr/lib/dpkg")]
    [InlineData("var/lib/dpkg")]
    public void DebiansPackagesOwnTheirFiles(string place)
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo,
        [
            ("bin", "-> usr/bin"), ("lib", "-> /usr/lib"), ("usr/bin/bash", "bash"), ("usr/bin/sh", "-> bash"), ("usr/bin/divert.real", "diverted"),
            ("usr/bin/divert", "the other's"), ("usr/lib/libc.so", "libc"), ("usr/etc/bash.bashrc", "rc"), ("usr/etc/passwd", "made"), ("usr/share/icons/hicolor/cache/x", "cache"),
            ("usr/lib/modules/6.1/vmlinuz", "kernel"), ("usr/lib/modules/6.1/initramfs.img", "initramfs"), ("usr/lib/modules/6.1/kernel/ext4.ko", "module"),
            ("usr/lib/modules/readme", "not a kernel"), ("usr/share/copy-of-libc", "libc"),
            ($"{place}/status", "Package: zlib\nArchitecture: i386\n\nPackage: dpkg\nStatus: install ok installed\nArchitecture: amd64\n"),
            ($"{place}/diversions", "/usr/bin/divert\n/usr/bin/divert.real\nother\n"),
            ($"{place}/info/bash.list", "/.\n/bin\n/bin/bash\n/bin/sh\n/etc\n/etc/bash.bashrc\n/usr/bin/divert\n/usr/share/missing\n/loop/x\n"),
            ($"{place}/info/libc6:amd64.list", "/lib\n/lib/libc.so\n/etc/passwd/not-a-directory\n\n/\n..\n"),
            ($"{place}/info/libc6:i386.list", ""),
            ($"{place}/info/other.list", "/usr/bin/divert\n"),
            ($"{place}/info/linux-image-6.1.list", "/lib/modules/6.1/kernel/ext4.ko\n/boot/vmlinuz-6.1\n"),
            ($"{place}/info/bash.postinst", "#!"), ("loop", "-> loop"),
        ]);
        CommitContent content = CommitContent.Read(repo, commit);
        ContentMeta meta = ContentMeta.FromTree(content);
        string Owner(string path) => meta.Owners[content.Find(Path.GetDirectoryName(path)!, Path.GetFileName(path))!.Checksum];

        Assert.Equal("bash", Owner("usr/bin/bash"));
        Assert.Equal("bash", Owner("usr/bin/sh"));
        Assert.Equal("bash", Owner("usr/etc/bash.bashrc"));
        Assert.Equal("bash", Owner("usr/bin/divert.real"));
        Assert.Equal("other", Owner("usr/bin/divert"));
        Assert.Equal("libc6", Owner("usr/lib/libc.so"));
        Assert.Equal("libc6", Owner("usr/share/copy-of-libc"));
        Assert.Equal("usr/etc", Owner("usr/etc/passwd"));
        Assert.Equal("usr/share/icons", Owner("usr/share/icons/hicolor/cache/x"));
        Assert.Equal("kernel", Owner("usr/lib/modules/6.1/vmlinuz"));
        Assert.Equal("kernel", Owner("usr/lib/modules/6.1/kernel/ext4.ko"));
        Assert.Equal("initramfs", Owner("usr/lib/modules/6.1/initramfs.img"));
        Assert.Equal("usr/lib/modules", Owner("usr/lib/modules/readme"));
        Assert.Equal("package-database", Owner($"{place}/status"));
        Assert.Equal("toplevel", Owner("bin"));
        Assert.Equal("amd64", meta.Architecture);
        Assert.Equal(content.Objects.Count, meta.Owners.Count);
        Assert.Equal(Component.EveryBuild, meta.Components.Single(c => c.Id == "initramfs").ChangeFrequency);
    }

    [Fact]
    public void WithoutPackagesDirectoriesDivideTheTree()
    {
        using Repo repo = fixture.CreateRepo();
        Checksum commit = EncapsulationFixture.Commit(repo,
            [("usr/a", "1"), ("usr/lib/b", "2"), ("usr/lib/x/y/c", "3"), ("usr/lib/x/d", "4"), ("usr/bin/e", "5"), ("f", "6"), ("usr/share/a,b/g", "7")]);
        ContentMeta meta = ContentMeta.FromTree(CommitContent.Read(repo, commit));
        Assert.Equal(["toplevel", "usr", "usr/bin", "usr/lib", "usr/lib/x", "usr/share/a_b"], meta.Components.Select(c => c.Name));
        Assert.Null(meta.Architecture);
    }
}
