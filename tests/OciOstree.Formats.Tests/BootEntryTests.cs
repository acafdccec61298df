using System.Text;
using OciOstree.Formats.BootLoaderSpec;

namespace OciOstree.Formats.Tests;

// The expected files were written by libostree 2022.7.
public sealed class BootEntryTests
{
    [Fact]
    public void KeysAreWrittenInOstreesOrder()
    {
        var entry = new BootEntry
        {
            Initrd = "/ostree/x/initramfs.img",
            Linux = "/ostree/x/vmlinuz",
            DeviceTree = "/ostree/x/devicetree",
            Options = "root=LABEL=r ostree=/ostree/boot.1/os/x/0",
            Version = "1",
            Title = "OS 1 (ostree:0)",
        };
        entry.Set("sort-key", "os");
        entry.OverlayInitrds.AddRange(["/a", "/b"]);
        Assert.Equal(
            "title OS 1 (ostree:0)\nversion 1\noptions root=LABEL=r ostree=/ostree/boot.1/os/x/0\ndevicetree /ostree/x/devicetree\n" +
            "linux /ostree/x/vmlinuz\ninitrd /ostree/x/initramfs.img\ninitrd /a\ninitrd /b\nsort-key os\n",
            Encoding.UTF8.GetString(entry.Serialize()));
    }

    [Fact]
    public void FilesAreReadAsOstreeReadsThem()
    {
        BootEntry entry = BootEntry.Parse("# c\ntitle  two spaces\nversion\t1\n options x\ninitrd /1\ninitrd /2\nlinux /k\ninitrd /3\nlinux /k2\ndevicetree /d\nempty\nemptyv \n1x y\n"u8);
        Assert.Equal(" two spaces", entry.Title);
        Assert.Null(entry.Options);
        Assert.Equal("/1", entry.Initrd);
        Assert.Equal(["/2", "/3"], entry.OverlayInitrds);
        Assert.Equal(
            "title  two spaces\nversion 1\ndevicetree /d\nlinux /k2\ninitrd /1\ninitrd /2\ninitrd /3\nemptyv \n",
            Encoding.UTF8.GetString(entry.Serialize()));
    }

    [Fact]
    public void UnknownKeysAreKeptAndKeysCanBeRemoved()
    {
        BootEntry entry = BootEntry.Parse("x-options-source-tuned nohz=full\ntitle a\nmachine-id 12\n"u8);
        entry.Set("machine-id", null);
        entry.Title = "b";
        Assert.Equal("title b\nx-options-source-tuned nohz=full\n", Encoding.UTF8.GetString(entry.Serialize()));
        Assert.Equal(["x-options-source-tuned", "title"], entry.Keys);
    }

    [Fact]
    public void NothingSmugglesALine()
    {
        var entry = new BootEntry();
        Assert.Throws<BootEntryException>(() => entry.Title = "a\noptions init=/bin/sh");
        Assert.Throws<BootEntryException>(() => entry.Set("a b", "c"));
        Assert.Throws<BootEntryException>(() => entry.Set("", "c"));
        entry.OverlayInitrds.Add("/a");
        Assert.Throws<BootEntryException>(() => entry.Serialize());
        entry.Initrd = "/0";
        entry.OverlayInitrds[0] = "/a\noptions x";
        Assert.Throws<BootEntryException>(() => entry.Serialize());
        Assert.Throws<BootEntryException>(() => BootEntry.Parse([0x61, 0x20, 0xff]));
    }
}
