namespace OciOstree.Sysroot.Tests;

public sealed class DiskInstallTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("disk-install");

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void A_disk_that_is_too_small_is_not_even_made()
    {
        var options = new DiskInstallOptions { Path = scratch["disk"], Loader = InstallLoader.Extlinux, Size = 8 << 20 };
        Assert.Contains("is too small", Assert.Throws<SysrootException>(() => DiskInstall.Prepare(options)).Message);
        Assert.False(File.Exists(options.Path));
    }

    [Fact]
    public void The_table_of_mounts_is_the_images_own()
    {
        using TestSysroot system = new();
        File.WriteAllText(scratch["secret"], "# of the machine that installs\n");
        system.Commit("v1", "1.0", edit: $"ln -sfn {scratch["secret"]} usr/etc/fstab");
        Deployment deployment = system.Deploy("v1");
        using Sysroot sysroot = system.Open();
        Installation.AddBootMount(sysroot, deployment, "1234", "ext4");
        Assert.Equal("UUID=1234 /boot ext4 defaults 0 2\n", File.ReadAllText(system[deployment.Path + "/etc/fstab"]));
        Assert.Equal("# of the machine that installs\n", File.ReadAllText(scratch["secret"]));
    }

    [Fact]
    public void A_disk_in_use_is_refused_by_whatever_name()
    {
        Tool.Shell("truncate -s 200M image; mkfs.ext4 -q -F image; mkdir mounted", scratch.Path).Ok();
        string device = Tool.Run("losetup", "--show", "--find", scratch["image"]).Ok().OutputLine;
        var options = new DiskInstallOptions { Path = scratch["by-id"], Loader = InstallLoader.Extlinux, Wipe = true };
        File.CreateSymbolicLink(options.Path, device);
        string refused() => Assert.Throws<SysrootException>(() => DiskInstall.Prepare(options)).Message;
        using ManualResetEventSlim mounted = new(), looked = new();
        Exception? failure = null;
        var other = new Thread(() => failure = Record.Exception(() => PrivateMounts.Run(() =>
        {
            try
            {
                Tool.Run("mount", device, scratch["mounted"]).Ok();
                Assert.EndsWith("by-id is mounted", refused());
            }
            finally
            {
                mounted.Set();
                looked.Wait();
                Tool.Run("umount", scratch["mounted"]);
            }
        })));
        other.Start();
        try
        {
            mounted.Wait();
            // Who does not see the mount is told what the kernel knows.
            Assert.EndsWith("by-id is in use", refused());
        }
        finally
        {
            looked.Set();
            other.Join();
            Tool.Run("losetup", "--detach", device).Ok();
        }
        Assert.Null(failure);
    }
}
