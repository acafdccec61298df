namespace OciOstree.Linux.Tests;

public sealed class RemoveTreeTests : IDisposable
{
    private readonly Scratch scratch = new();

    private LinuxDirectory Root => scratch.Directory;

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Missing_names_files_links_and_trees()
    {
        Root.RemoveTree("missing");
        scratch.Write("file", "x");
        Root.RemoveTree("file");
        Root.MakePath("keep/inner", 0x1ED);
        scratch.Write("keep/inner/file", "kept");
        Root.MakePath("tree/a/b", 0x1ED);
        Root.MakePath("tree/empty", 0);
        Root.MakeSymbolicLink("../keep", "tree/a/link");
        Root.MakeSymbolicLink("keep", "toplink");
        scratch.Write("tree/a/b/file", "x", 0);
        Root.RemoveTree("tree");
        Root.RemoveTree("toplink");
        Assert.Equal(["keep"], Root.ReadEntries().Select(e => e.Name));
        Assert.Equal("kept", scratch.Read("keep/inner/file"));
    }

    [Fact]
    public void A_tree_deeper_than_stack_descriptors_and_paths_allow()
    {
        const int depth = 3_000;   // a path of 6,000 bytes, beyond PATH_MAX, and far more levels than are held open
        var at = Root.Duplicate();
        for (int i = 0; i < depth; i++)
        {
            at.MakeDirectory("d", 0x1ED);
            if (i % 200 == 0)
            {
                at.MakeSymbolicLink("..", "up");
                at.MakeDirectory("side", 0x1ED);
            }
            var next = LinuxDirectory.FromHandle(at.OpenFile("d", OpenFlags.Directory), "deep");
            at.Dispose();
            at = next;
        }
        at.Dispose();
        Root.RemoveTree("d");
        Assert.False(Root.Exists("d"));
        Assert.Empty(DescriptorsBelow(scratch.Path + "/"));
    }

    [Fact]
    public void Another_mount_inside_is_not_entered()
    {
        PrivateMounts.Run(() =>
        {
            Root.MakePath("outside", 0x1ED);
            scratch.Write("outside/precious", "x");
            Root.MakePath("tree/a/mounted", 0x1ED);
            Mounts.Bind(scratch.Path + "/outside", scratch.Path + "/tree/a/mounted");
            var error = Assert.Throws<LinuxException>(() => Root.RemoveTree("tree"));
            Assert.Equal(Errno.EBUSY, error.Errno);
            Assert.EndsWith("tree/a/mounted: Device or resource busy", error.Message);
            Assert.Equal("x", scratch.Read("outside/precious"));
            Mounts.Unmount(scratch.Path + "/tree/a/mounted");
            Root.RemoveTree("tree");
        });
        Assert.False(Root.Exists("tree"));
    }

    /// <summary>What this process holds open below <paramref name="path"/>: other tests open and close descriptors meanwhile, so a mere count says nothing.</summary>
    private static List<string> DescriptorsBelow(string path) =>
        [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(d => new FileInfo(d).LinkTarget ?? "").Where(t => t.StartsWith(path, StringComparison.Ordinal))];
}
