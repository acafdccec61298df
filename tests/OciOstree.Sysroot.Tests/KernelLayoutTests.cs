using System.Security.Cryptography;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Sysroot.Tests;

public sealed class KernelLayoutTests : IDisposable
{
    private readonly ScratchDirectory tree = new("kernel");

    public void Dispose() => tree.Dispose();

    private static string Digest(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private KernelLayout Find()
    {
        using LinuxDirectory root = LinuxDirectory.Open(tree.Path);
        return KernelLayout.Find(root);
    }

    [Fact]
    public void Todays_place_is_hashed_kernel_first()
    {
        tree.Write("usr/lib/modules/6.1.0/vmlinuz", "kernel");
        tree.Write("usr/lib/modules/6.1.0/initramfs.img", "initrd");
        tree.Write("usr/lib/modules/6.1.0/dtb/b/x.dtb", "X");
        tree.Write("usr/lib/modules/6.1.0/dtb/a.dtb", "A");
        tree.Write("usr/lib/modules/6.1.0/.vmlinuz.hmac", "not hashed");
        tree.MakeDirectory("usr/lib/modules/5.0-without-kernel");
        using KernelLayout layout = Find();
        Assert.Equal(Digest("kernelinitrdAX"), layout.BootChecksum);
        Assert.Equal(["vmlinuz-6.1.0", "initramfs-6.1.0.img", ".vmlinuz-6.1.0.hmac"], layout.Files.Select(f => f.Name));
        Assert.Equal("dtb", layout.DeviceTreeDirectory);
    }

    [Fact]
    public void A_chosen_device_tree_goes_before_a_directory_of_them()
    {
        tree.Write("usr/lib/modules/6/vmlinuz", "k");
        tree.Write("usr/lib/modules/6/devicetree", "d");
        tree.Write("usr/lib/modules/6/dtb/x", "x");
        using KernelLayout layout = Find();
        Assert.Equal(Digest("kd"), layout.BootChecksum);
        Assert.Equal("devicetree-6", layout.DeviceTree?.Name);
        Assert.Null(layout.DeviceTreeDirectory);
        Assert.Null(layout.Initramfs);
    }

    [Theory]
    [InlineData("usr/lib/ostree-boot")]
    [InlineData("boot")]
    public void Old_trees_name_the_checksum(string place)
    {
        string checksum = Digest("whatever");
        tree.Write($"{place}/vmlinuz-3.6.0-{checksum}", "k");
        tree.Write($"{place}/initramfs-3.6.0.img-{checksum}", "i");
        tree.Write($"{place}/vmlinuz-plain", "no");
        using KernelLayout layout = Find();
        Assert.Equal(checksum, layout.BootChecksum);
        Assert.Equal(["vmlinuz-3.6.0", "initramfs-3.6.0.img"], layout.Files.Select(f => f.Name));
    }

    [Fact]
    public void The_old_place_wins_when_only_it_has_an_initramfs()
    {
        string checksum = Digest("whatever");
        tree.Write("usr/lib/modules/6/vmlinuz", "k");
        tree.Write($"usr/lib/ostree-boot/vmlinuz-6-{checksum}", "k");
        tree.Write($"usr/lib/ostree-boot/initramfs-6.img-{checksum}", "i");
        using (KernelLayout layout = Find())
        {
            Assert.Equal(checksum, layout.BootChecksum);
        }
        tree.Write("usr/lib/modules/6/initramfs.img", "i");
        using (KernelLayout layout = Find())
        {
            Assert.Equal(Digest("ki"), layout.BootChecksum);
        }
    }

    [Fact]
    public void Parts_that_do_not_belong_together_are_refused()
    {
        tree.Write($"boot/vmlinuz-6-{Digest("a")}", "k");
        tree.Write($"boot/initramfs-6-{Digest("b")}", "i");
        Assert.Equal("Mismatched kernel checksum vs initrd", Assert.Throws<SysrootException>(Find).Message);
    }

    [Fact]
    public void No_kernel_is_said_so()
    {
        tree.MakeDirectory("usr/lib/modules/6");
        tree.MakeDirectory("boot");
        Assert.StartsWith("Failed to find kernel in /usr/lib/modules", Assert.Throws<SysrootException>(Find).Message);
    }
}
