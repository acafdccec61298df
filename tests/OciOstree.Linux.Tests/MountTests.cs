namespace OciOstree.Linux.Tests;

public sealed class MountTests : IDisposable
{
    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void A_private_namespace_keeps_its_mounts_to_itself()
    {
        string point = scratch.Path + "/a b\\c";
        scratch.Directory.MakeDirectory("a b\\c", 0x1ED);
        PrivateMounts.Run(() =>
        {
            Mounts.Mount("tmpfs", point, "tmpfs", MountFlags.NoSetUid | MountFlags.NoDevices, "mode=700,size=1m");
            var mount = Mounts.Find(point)!;
            Assert.Equal((point, "tmpfs", "/"), (mount.MountPoint, mount.Type, mount.Root));
            Assert.False(mount.IsReadOnly);
            File.WriteAllText(point + "/f", "x");

            Mounts.RemountBind(point, readOnly: true);
            mount = Mounts.Find(point)!;
            Assert.True(mount.IsReadOnly);
            Assert.Contains("nosuid", mount.Options);
            Assert.Contains("nodev", mount.Options);
            Assert.DoesNotContain("ro", mount.SuperOptions);
            using (var directory = LinuxDirectory.Open(point))
                Assert.Equal(Errno.EROFS, Assert.Throws<LinuxException>(() => directory.Unlink("f")).Errno);
            Mounts.RemountBind(point, readOnly: false);
            File.Delete(point + "/f");

            // A thread started from here sees the same, one that ran before does not.
            bool inherited = false;
            var child = new Thread(() => inherited = Mounts.Find(point)!.Type == "tmpfs");
            child.Start();
            child.Join();
            Assert.True(inherited);

            scratch.Directory.MakeDirectory("bound", 0x1ED);
            Mounts.Bind(point, scratch.Path + "/bound", readOnly: true);
            Assert.True(Mounts.Find(scratch.Path + "/bound")!.IsReadOnly);
            Mounts.Unmount(scratch.Path + "/bound");
            Mounts.Unmount(point, detach: true);
            Assert.NotEqual("tmpfs", Mounts.Find(point)!.Root + Mounts.Find(point)!.MountPoint);
            Mounts.Mount("tmpfs", point, "tmpfs");
        });
        Assert.DoesNotContain(Mounts.ReadMountInfo(), m => m.MountPoint == point);
    }

    [Fact]
    public void Errors_name_the_mount_point()
    {
        var error = Assert.Throws<LinuxException>(() => Mounts.Unmount(scratch.Path));
        Assert.Equal($"unmount {scratch.Path}: Invalid argument", error.Message);
        Assert.Null(Mounts.Find(scratch.Path + "/missing"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("36 35 98:0 /mnt1 /mnt2 rw,noatime")]
    [InlineData("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3")]
    [InlineData("x 35 98:0 / / rw - ext3 /dev/root rw")]
    [InlineData("36 35 98 / / rw - ext3 /dev/root rw")]
    public void Lines_of_another_form_are_passed_over(string line) =>
        Assert.Null(MountInfo.TryParse(System.Text.Encoding.ASCII.GetBytes(line)));

    [Fact]
    public void A_line_as_in_the_manual()
    {
        var mount = MountInfo.TryParse("36 35 98:0 /mnt1 /a\\040b\\134\\777 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue"u8)!;
        Assert.Equal((36ul, 35ul, 98u, 0u), (mount.Id, mount.ParentId, mount.DeviceMajor, mount.DeviceMinor));
        Assert.StartsWith("/a b\\", mount.MountPoint);
        Assert.Equal(["master:1", "shared:2"], mount.OptionalFields);
        Assert.Equal(["rw", "errors=continue"], mount.SuperOptions);
    }

    [Fact]
    public void The_boot_id_is_the_kernels() =>
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), BootId.Current);
}
