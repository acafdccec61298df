namespace OciOstree.Linux.Tests;

public sealed class OpenInRootTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly LinuxDirectory root;

    public OpenInRootTests()
    {
        // Everything of interest lies in "root"; its twin outside must never be reached.
        scratch.Write("secret", "outside");
        scratch.Directory.MakePath("root/usr/lib", 0x1ED);
        root = scratch.Directory.OpenDirectory("root");
        scratch.Write("root/secret", "inside");
        scratch.Write("root/usr/lib/file", "file");
        foreach (var (name, target) in new[]
        {
            ("absolute", "/usr/lib/file"), ("up", "../../../../secret"), ("usr/lib/up", "../../../../../secret"), ("dir", "usr/lib"),
            ("usr/chain", "/dir/../../absolute"), ("loop", "loop2"), ("loop2", "loop"), ("dangling", "/nowhere"), ("usr/root", "/"), ("slash", "usr/lib/"),
        })
            root.MakeSymbolicLink(target, name);
    }

    public void Dispose()
    {
        root.Dispose();
        scratch.Dispose();
    }

    public static TheoryData<bool, string, string> Found()
    {
        var data = new TheoryData<bool, string, string>();
        foreach (bool old in (bool[])[false, true])
        {
            foreach (var (path, content) in new[]
            {
                ("secret", "inside"), ("/secret", "inside"), ("../secret", "inside"), ("usr/lib/../../../../secret", "inside"), ("absolute", "file"), ("up", "inside"),
                ("usr/lib/up", "inside"), ("dir/file", "file"), ("dir/../lib/file", "file"), ("usr/chain", "file"), ("usr/root/usr/root/secret", "inside"),
                ("./usr//lib/./file", "file"), ("slash/file", "file"),
            })
                data.Add(old, path, content);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Found))]
    public void Every_way_stays_inside(bool oldKernel, string path, string content)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.OpenAt2 : KernelAbility.None);
        using var file = root.OpenInRoot(path);
        Assert.Equal(content, System.Text.Encoding.ASCII.GetString(Files.ReadAll(file, 100)));
    }

    public static TheoryData<bool, string, int> Refused()
    {
        var data = new TheoryData<bool, string, int>();
        foreach (bool old in (bool[])[false, true])
        {
            foreach (var (path, errno) in new[]
            {
                ("loop", Errno.ELOOP), ("dangling", Errno.ENOENT), ("nowhere/../secret", Errno.ENOENT), ("secret/x", Errno.ENOTDIR), ("secret/", Errno.ENOTDIR), ("secret/..", Errno.ENOTDIR),
            })
                data.Add(old, path, (int)errno);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Refusals_are_the_kernels(bool oldKernel, string path, int errno)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.OpenAt2 : KernelAbility.None);
        Assert.Equal((Errno)errno, Assert.Throws<LinuxException>(() => root.OpenInRoot(path)).Errno);
        if ((Errno)errno is Errno.ENOENT or Errno.ENOTDIR)
            Assert.Null(root.TryOpenInRoot(path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_last_link_is_not_followed_when_asked(bool oldKernel)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.OpenAt2 : KernelAbility.None);
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => root.OpenInRoot("dir/../../absolute", OpenFlags.NoFollow)).Errno);
        using (var link = root.OpenInRoot("absolute", OpenFlags.NoFollow | OpenFlags.PathOnly))
            Assert.Equal(FileType.SymbolicLink, Files.Status(link).Type);
        foreach (string directory in (string[])["", ".", "/", "..", "usr/lib/..", "dir/", "usr/root"])
        {
            using var opened = root.OpenInRoot(directory, OpenFlags.Directory);
            Assert.True(Files.Status(opened).IsDirectory);
        }
        using (var created = root.OpenInRoot("/usr/root/dir/new", OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
            Files.Write(created, "new"u8);
        Assert.Equal("new", scratch.Read("root/usr/lib/new"));
        root.Unlink("usr/lib/new");
    }
}
