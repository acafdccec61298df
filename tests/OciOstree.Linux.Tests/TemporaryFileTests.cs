namespace OciOstree.Linux.Tests;

public sealed class TemporaryFileTests : IDisposable
{
    private readonly Scratch scratch = new();

    public static TheoryData<int> Kernels => [0, (int)KernelAbility.LinkByDescriptor, (int)KernelAbility.UnnamedFiles, (int)(KernelAbility.UnnamedFiles | KernelAbility.RenameFlags)];

    private LinuxDirectory Root => scratch.Directory;

    public void Dispose() => scratch.Dispose();

    [Theory]
    [MemberData(nameof(Kernels))]
    public void It_has_its_name_only_when_told(int withheld)
    {
        using var _ = Kernel.Withhold((KernelAbility)withheld);
        Root.MakeDirectory("sub", 0x1ED);
        using var sub = Root.OpenDirectory("sub");
        using (var file = Root.CreateTemporaryFile(0x1B4))
        {
            Files.Write(file.Handle, "content"u8);
            Assert.False(sub.Exists("name"));
            file.LinkAs(sub, "name");
        }
        Assert.Equal("content", scratch.Read("sub/name"));
        Assert.Equal(0x1B4u, sub.Status("name").Permissions);
        Assert.Equal(1u, sub.Status("name").LinkCount);
        Assert.Equal(["sub"], Root.ReadEntries().Select(e => e.Name));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void It_holds_no_directory_open_afterwards(int withheld)
    {
        using var _ = Kernel.Withhold((KernelAbility)withheld);
        Root.MakeDirectory("held", 0x1ED);
        using (var directory = Root.OpenDirectory("held"))
        using (var file = directory.CreateTemporaryFile())
            file.ReplaceAs(directory, "name");
        // Others open and close what they like meanwhile; this directory is only ours.
        string path = Path.GetFullPath(Root.PathOf("held"));
        Assert.DoesNotContain(path, Directory.GetFiles("/proc/self/fd").Concat(Directory.GetDirectories("/proc/self/fd")).Select(link => Root.TryReadLink(link)));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_taken_name_stays_as_it_was(int withheld)
    {
        using var _ = Kernel.Withhold((KernelAbility)withheld);
        scratch.Write("name", "old");
        using (var file = Root.CreateTemporaryFile())
        {
            Assert.False(file.TryLinkAs(Root, "name"));
            Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => file.LinkAs(Root, "name")).Errno);
            Assert.Equal("old", scratch.Read("name"));
            Files.Write(file.Handle, "new"u8);
            file.ReplaceAs(Root, "name");
            Assert.Equal("new", scratch.Read("name"));
        }
        Assert.Equal(["name"], Root.ReadEntries().Select(e => e.Name));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Dispose_leaves_nothing(int withheld)
    {
        using var _ = Kernel.Withhold((KernelAbility)withheld);
        Root.MakeDirectory("d", 0x1ED);
        using (var file = Root.CreateTemporaryFile())
        {
            Files.Write(file.Handle, "x"u8);
            Assert.Throws<LinuxException>(() => file.ReplaceAs(Root, "d"));
        }
        Assert.Equal(["d"], Root.ReadEntries().Select(e => e.Name));
    }
}
