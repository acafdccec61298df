using System.Text;

namespace OciOstree.Linux.Tests;

public sealed class LinuxDirectoryTests : IDisposable
{
    private readonly Scratch scratch = new();

    private LinuxDirectory Root => scratch.Directory;

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Modes_are_exact_whatever_the_umask()
    {
        Root.MakeDirectory("d", 0x1FF | 0x200);   // 1777
        Root.MakePath("a/b/c", 0x1FD);
        Root.ReplaceFile("f", "x"u8, 0x1B6, sync: true);
        Assert.Equal(0x3FFu, Root.Status("d").Permissions);
        Assert.Equal(0x1FDu, Root.Status("a/b").Permissions);
        Assert.Equal(0x1B6u, Root.Status("f").Permissions);
    }

    [Fact]
    public void Missing_names_are_null_or_an_error_that_names_them()
    {
        Assert.Null(Root.TryStatus("gone"));
        Assert.Null(Root.TryStatus("gone/deeper"));
        Assert.Null(Root.TryOpenFile("gone"));
        Assert.Null(Root.TryOpenDirectory("gone"));
        Assert.False(Root.Exists("gone"));
        Assert.False(Root.TryUnlink("gone"));
        var error = Assert.Throws<LinuxException>(() => Root.OpenFile("gone"));
        Assert.Equal(Errno.ENOENT, error.Errno);
        Assert.Equal($"open {scratch.Path}/gone: No such file or directory", error.Message);
    }

    [Fact]
    public void Links_are_not_followed_unless_asked()
    {
        scratch.Write("target", "content");
        Root.MakeSymbolicLink("target", "link");
        Root.MakeSymbolicLink("nowhere", "dangling");
        Assert.Equal(FileType.SymbolicLink, Root.Status("link").Type);
        Assert.Equal(FileType.RegularFile, Root.Status("link", followLinks: true).Type);
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => Root.OpenFile("link")).Errno);
        Assert.True(Root.Exists("dangling"));
        Assert.Equal("target", Root.ReadLink("link"));
        Assert.Null(Root.TryReadLink("target"));
        Root.SetModified("link", 5, 7);
        Assert.Equal((5L, 7u), (Root.Status("link").ModifiedSeconds, Root.Status("link").ModifiedNanoseconds));
        Assert.NotEqual(5L, Root.Status("target").ModifiedSeconds);
        Root.SetOwner("link", 12, 34);
        Assert.Equal((12u, 34u), (Root.Status("link").Uid, Root.Status("link").Gid));
        Assert.Equal(0u, Root.Status("target").Uid);
    }

    [Fact]
    public void Long_link_targets_are_read_whole()
    {
        string target = string.Join('/', Enumerable.Repeat("abcdefghi", 400));
        Root.MakeSymbolicLink(target, "link");
        Assert.Equal(target, Root.ReadLink("link"));
    }

    [Fact]
    public void Entries_carry_types_and_any_bytes()
    {
        string odd = FileName.FromBytes([0x66, 0xFF, 0x0A, 0xC3]);
        Root.MakeDirectory("dir", 0x1ED);
        Root.MakeSymbolicLink("x", "link");
        Root.MakeNode("pipe", ModeBits.Fifo | 0x1A4);
        scratch.Write(odd, "odd");
        var entries = Root.ReadEntries();
        Assert.Equal(
            [("dir", FileType.Directory), ("link", FileType.SymbolicLink), ("pipe", FileType.Fifo), (odd, FileType.RegularFile)],
            entries.Select(e => (e.Name, e.Type)).OrderBy(e => e.Name.Length).ThenBy(e => e.Name, StringComparer.Ordinal).OrderBy(e => e.Name == odd));
        Assert.Equal(Root.Status(odd).Inode, entries.Single(e => e.Name == odd).Inode);
        Assert.Equal("odd", scratch.Read(odd));
        // A second reading begins anew.
        Assert.Equal(4, Root.ReadEntries().Count);
    }

    [Fact]
    public void A_large_directory_is_read_to_its_end()
    {
        for (int i = 0; i < 1500; i++)
            Root.MakeSymbolicLink("t", $"a-rather-long-name-so-that-one-buffer-cannot-hold-all-of-them-{i}");
        Assert.Equal(1500, Root.ReadEntries().Select(e => e.Name).Distinct().Count());
    }

    [Fact]
    public void A_name_with_a_NUL_is_refused_not_cut()
    {
        scratch.Write("safe", "x");
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => Root.Unlink("safe\0junk")).Errno);
        Assert.True(Root.Exists("safe"));
    }

    [Fact]
    public void Names_longer_than_the_stack_buffer_reach_the_kernel_whole()
    {
        string longest = new string('é', 127);   // 254 bytes
        scratch.Write(longest, "x");
        Assert.Equal(longest, Root.ReadEntries().Single().Name);
        string tooLong = new string('é', 3000);
        Assert.Equal(Errno.ENAMETOOLONG, Assert.Throws<LinuxException>(() => Root.OpenFile(tooLong)).Errno);
    }

    [Fact]
    public void Hard_links_and_their_refusals()
    {
        scratch.Write("a", "1");
        Root.MakeLink("a", Root, "b");
        Assert.Equal(2u, Root.Status("a").LinkCount);
        Assert.False(Root.TryMakeLink("a", Root, "b", out var errno));
        Assert.Equal(Errno.EEXIST, errno);
        Root.MakeSymbolicLink("a", "s");
        Root.MakeLink("s", Root, "t");
        Assert.Equal(FileType.SymbolicLink, Root.Status("t").Type);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rename_without_replacing(bool oldKernel)
    {
        using var _ = Kernel.Withhold(oldKernel ? KernelAbility.RenameFlags : KernelAbility.None);
        scratch.Write("a", "a");
        scratch.Write("b", "b");
        Root.MakeDirectory("d", 0x1ED);
        Root.MakeDirectory("d/inner", 0x1ED);
        Assert.False(Root.TryRenameNoReplace("a", Root, "b"));
        Assert.Equal("b", scratch.Read("b"));
        Assert.True(Root.TryRenameNoReplace("a", Root, "c"));
        Assert.False(Root.Exists("a"));
        Assert.False(Root.TryRenameNoReplace("d", Root, "c"));
        Assert.True(Root.TryRenameNoReplace("d", Root, "e"));
        Assert.True(Root.Status("e/inner").IsDirectory);
    }

    [Fact]
    public void Exchange_swaps_two_names()
    {
        scratch.Write("a", "a");
        Root.MakeSymbolicLink("x", "b");
        Root.Rename("a", Root, "b", RenameFlags.Exchange);
        Assert.Equal("x", Root.ReadLink("a"));
        Assert.Equal("a", scratch.Read("b"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData((int)KernelAbility.ChangeModeNoFollow)]
    public void Mode_of_a_link_cannot_be_set_and_its_target_is_left_alone(int withheld)
    {
        using var _ = Kernel.Withhold((KernelAbility)withheld);
        scratch.Write("f", "x", 0x180);
        Root.MakeSymbolicLink("f", "l");
        Root.MakeNode("pipe", ModeBits.Fifo | 0x180);
        Assert.Equal(Errno.EOPNOTSUPP, Assert.Throws<LinuxException>(() => Root.SetMode("l", 0x1FF)).Errno);
        Root.SetMode("f", 0x9ED);
        Root.SetMode("pipe", 0x1A4);
        Assert.Equal(0x9EDu, Root.Status("f").Permissions);
        Assert.Equal(0x1A4u, Root.Status("pipe").Permissions);
    }

    [Fact]
    public void Reading_stops_at_the_limit()
    {
        scratch.Write("f", new string('x', 1000));
        Assert.Equal(1000, Root.ReadAllBytes("f", 1000).Length);
        Assert.Equal(Errno.EFBIG, Assert.Throws<LinuxException>(() => Root.ReadAllBytes("f", 999)).Errno);
        using var proc = LinuxDirectory.Open("/proc/self");
        Assert.NotEmpty(proc.ReadAllBytes("mountinfo", 1 << 20));   // a file whose size says 0
        Assert.Equal(Errno.EFBIG, Assert.Throws<LinuxException>(() => proc.ReadAllBytes("mountinfo", 10)).Errno);
    }

    [Fact]
    public void Replacing_a_file_leaves_no_other_name_behind()
    {
        scratch.Write("f", "one");
        using (var old = Root.OpenFile("f"))
        {
            scratch.Write("f", "two");
            Assert.Equal("one", Encoding.UTF8.GetString(Files.ReadAll(old, 100)));
        }
        Assert.Equal("two", scratch.Read("f"));
        Assert.Single(Root.ReadEntries());
        Root.MakeDirectory("d", 0x1ED);
        Assert.Throws<LinuxException>(() => scratch.Write("d", "x"));
        Assert.Equal(2, Root.ReadEntries().Count);
    }
}
