using System.Security.Cryptography;

namespace OciOstree.Linux.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly Scratch scratch = new();

    private LinuxDirectory Root => scratch.Directory;

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 3_000_001)]
    [InlineData(true, 0)]
    [InlineData(true, 3_000_001)]
    public void Copies_are_whole_and_move_no_position(bool oldKernel, int size)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.CopyFileRange : KernelAbility.None);
        byte[] content = RandomNumberGenerator.GetBytes(size);
        Root.ReplaceFile("from", content, 0x180, sync: false);
        using var from = Root.OpenFile("from");
        using var to = Root.CreateTemporaryFile();
        Files.CopyAll(from, to.Handle, size);
        Assert.Equal(content, Files.ReadAll(to.Handle, size));
        Assert.Equal(content, Files.ReadAll(from, size));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_source_that_is_too_short_is_an_error(bool oldKernel)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.CopyFileRange : KernelAbility.None);
        scratch.Write("from", "short");
        using var from = Root.OpenFile("from");
        using var to = Root.CreateTemporaryFile();
        Assert.Equal(Errno.EIO, Assert.Throws<LinuxException>(() => Files.CopyAll(from, to.Handle, 6)).Errno);
    }

    [Fact]
    public void A_copy_from_another_file_system_falls_back()
    {
        using var proc = Files.Open("/proc/version");
        byte[] text = Files.ReadAll(proc, 4096);
        using var to = Root.CreateTemporaryFile();
        Files.CopyAll(proc, to.Handle, text.Length);
        Assert.Equal(text, Files.ReadAll(to.Handle, 4096));
    }

    [Fact]
    public void Streams_read_write_and_seek()
    {
        using var file = Root.CreateTemporaryFile();
        using (var stream = Files.AsStream(file.Handle, leaveOpen: true))
        {
            stream.Write("hello world"u8);
            stream.Position = 6;
            var rest = new byte[20];
            Assert.Equal(5, stream.Read(rest));
            Assert.Equal(0, stream.Read(rest));
            Assert.Equal(11, stream.Length);
            stream.SetLength(2);
        }
        Assert.Equal(2, Files.Status(file.Handle).Size);
        Assert.True(Files.TryAllocate(file.Handle, 1 << 20));
        Assert.Equal(2, Files.Status(file.Handle).Size);
        Assert.Throws<LinuxException>(() => Files.TryAllocate(file.Handle, 1L << 61));
    }

    [Fact]
    public void Attributes_of_attribute_names()
    {
        scratch.Write("f", "x");
        Root.MakeSymbolicLink("f", "l");
        byte[] odd = [.. "user.\xFF"u8[..5], 0xFF, 0x80];
        byte[] large = RandomNumberGenerator.GetBytes(2000);
        Xattrs.Set(Root, "f", "user.large", large);
        Xattrs.Set(Root, "f", odd, []);
        Xattrs.Set(Root, "l", "trusted.link", "on the link"u8);
        Assert.Equal(Errno.EPERM, Assert.Throws<LinuxException>(() => Xattrs.Set(Root, "l", "user.no", "x"u8)).Errno);
        using var file = Root.OpenFile("f");
        foreach (var all in (List<Xattr>[])[Xattrs.ReadAll(file), Xattrs.ReadAll(Root, "f")])
        {
            Assert.Equal(2, all.Count);
            Assert.Equal(large, all.Single(x => x.Name.Length == 10).Value);
            Assert.Empty(all.Single(x => x.Name.AsSpan().SequenceEqual(odd)).Value);
        }
        Assert.Equal("on the link"u8.ToArray(), Xattrs.Get(Root, "l", "trusted.link"));
        Assert.Null(Xattrs.Get(file, "user.none"));
        Assert.Empty(Xattrs.Get(file, odd)!);
        Xattrs.Remove(file, odd);
        Xattrs.Remove(file, odd);
        Xattrs.Remove(Root, "l", "trusted.link"u8);
        Assert.Single(Xattrs.ReadAll(file));
        Assert.Empty(Xattrs.ReadAll(Root, "l"));
        Assert.False(Xattrs.TrySet(file, "nonsense"u8, "x"u8, out var errno));
        Assert.Equal(Errno.EOPNOTSUPP, errno);
        Assert.False(Xattrs.TrySet(file, "user.big"u8, new byte[70000], out errno));
        Assert.NotEqual(Errno.None, errno);
        Assert.Throws<LinuxException>(() => Xattrs.Set(file, "user.\0x"u8, "x"u8));
    }

    [Fact]
    public void Many_attributes_are_listed_whole()
    {
        scratch.Write("f", "x");
        using var file = Root.OpenFile("f");
        for (int i = 0; i < 40; i++)
            Xattrs.Set(file, $"user.a-name-of-some-length-{i:d4}", "v"u8);
        Assert.Equal(40, Xattrs.ReadAll(file).Count);
        using var proc = LinuxDirectory.Open("/proc/self");
        Assert.Empty(Xattrs.ReadAll(proc, "status"));
    }

    [Fact]
    public void Immutable_means_immutable()
    {
        // tmpfs knows the mark since 6.6 only, so a file system that is known to have it: the one under this checkout.
        using var scratch = new Scratch(AppContext.BaseDirectory);
        scratch.Directory.MakeDirectory("d", 0x1ED);
        using var handle = scratch.Directory.OpenFile("d", OpenFlags.Directory);
        Assert.False(Files.IsImmutable(handle));
        Assert.True(Files.TrySetImmutable(handle, true));
        try
        {
            Assert.True(Files.IsImmutable(handle));
            Assert.True(scratch.Directory.Status("d").IsImmutable);
            Assert.Equal(Errno.EPERM, Assert.Throws<LinuxException>(() => scratch.Directory.RemoveDirectory("d")).Errno);
        }
        finally
        {
            Assert.True(Files.TrySetImmutable(handle, false));
        }
        scratch.Directory.RemoveDirectory("d");
        using var proc = Files.Open("/proc/self/status");
        Assert.False(Files.IsImmutable(proc));
        Assert.False(Files.TrySetImmutable(proc, true));
    }

    [Fact]
    public void What_the_file_system_cannot_do_is_false_not_an_error()
    {
        using var proc = Files.Open("/proc/self/status");
        using var file = Root.CreateTemporaryFile();
        Assert.False(Files.TryClone(proc, file.Handle));
        Assert.Null(FsVerity.TryMeasure(file.Handle));
        Assert.Null(FsVerity.TryMeasure(proc));
        Assert.False(FsVerity.TryEnable(proc));
        using (Kernel.Withhold(KernelAbility.Clone))
            Assert.False(Files.TryClone(file.Handle, file.Handle));
    }

    [Fact]
    public void Space_and_status_agree_with_stat()
    {
        var volume = Volume.Of(Root.Handle);
        Assert.InRange(volume.Available, 1, volume.Free);
        Assert.InRange(volume.Free, 1, volume.Size);
        Assert.False(volume.IsReadOnly);
        scratch.Write("f", "12345", 0x8A4);
        Root.SetOwner("f", 7, 8);
        Root.SetMode("f", 0x8A4);
        Root.SetModified("f", 1_000_000_000, 5);
        string real = Tool.Run("stat", "-c", "%f %u %g %h %s %i %d %b %Y", scratch.Path + "/f").Ok().OutputLine;
        var s = Root.Status("f");
        Assert.Equal(real, $"{s.Mode:x} {s.Uid} {s.Gid} {s.LinkCount} {s.Size} {s.Inode} {s.Device} {s.Blocks512} {s.ModifiedSeconds}");
        Assert.Equal(5u, s.ModifiedNanoseconds);
        var device = Files.TryStatus("/dev/null")!.Value;
        Assert.Equal((FileType.CharacterDevice, 1u, 3u), (device.Type, device.RawDeviceMajor, device.RawDeviceMinor));
    }
}
