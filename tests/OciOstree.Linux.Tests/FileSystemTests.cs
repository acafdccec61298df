using System.Security.Cryptography;

namespace OciOstree.Linux.Tests;

/// <summary>The same work on file systems that differ in what they can do.</summary>
public sealed class FileSystemTests
{
    [Theory]
    [InlineData("xfs", true)]
    [InlineData("ext4", false)]
    [InlineData("tmpfs", false)]
    [InlineData("overlay", false)]
    public void Each_does_what_it_can_and_says_what_it_cannot(string type, bool clones) => OnFileSystem(type, directory =>
    {
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        directory.ReplaceFile("source", content, 0x1A4, sync: true);
        using var source = directory.OpenFile("source");

        using (var copy = directory.CreateTemporaryFile(0x1A4))
        {
            Assert.Equal(clones, Files.TryClone(source, copy.Handle));
            if (!clones)
                Files.CopyAll(source, copy.Handle, content.Length);
            copy.LinkAs(directory, "copy");
        }
        Assert.Equal(content, directory.ReadAllBytes("copy", content.Length));

        Assert.False(directory.TryRenameNoReplace("source", directory, "copy"));
        directory.MakePath("tree/a/b", 0x1ED);
        directory.MakeSymbolicLink("target", "tree/a/link");
        Assert.Equal(["a"], directory.OpenDirectory("tree").ReadEntries().Select(e => e.Name));
        Assert.Equal(FileType.SymbolicLink, directory.OpenDirectory("tree/a").ReadEntries().Single(e => e.Name == "link").Type);
        Xattrs.Set(directory, "tree/a", "trusted.x", "v"u8);
        Assert.Equal("v"u8.ToArray(), Xattrs.Get(directory, "tree/a", "trusted.x"));
        using (var held = FileLock.Acquire(directory, "lock", LockKind.Exclusive, removeOnRelease: true))
            Assert.Null(FileLock.TryAcquire(directory, "lock", LockKind.Shared));
        directory.RemoveTree("tree");
        directory.SyncFileSystem();
        Assert.Equal(["copy", "source"], directory.ReadEntries().Select(e => e.Name).Where(name => name != "lost+found").Order());
    });

    [Fact]
    public void A_full_disk_is_an_error_that_says_so() => OnFileSystem("ext4", directory =>
    {
        var volume = Volume.Of(directory.Handle);
        using var file = directory.CreateTemporaryFile();
        Assert.Equal(Errno.ENOSPC, Assert.Throws<LinuxException>(() => Files.TryAllocate(file.Handle, volume.Size * 2)).Errno);
        var error = Assert.Throws<LinuxException>(() =>
        {
            var block = new byte[1 << 20];
            for (long i = 0; i <= volume.Size; i += block.Length)
                Files.Write(file.Handle, block, "big");
        });
        Assert.Equal("write big: No space left on device", error.Message);
    });

    private static void OnFileSystem(string type, Action<LinuxDirectory> action)
    {
        using var scratch = new ScratchDirectory("linux-" + type);
        // The mount and its loop device end with the namespace.
        PrivateMounts.Run(() =>
        {
            string point = scratch.MakeDirectory("mounted");
            switch (type)
            {
                case "tmpfs":
                    Mounts.Mount("tmpfs", point, "tmpfs");
                    break;
                case "overlay":
                    Mounts.Mount("overlay", point, "overlay", MountFlags.None,
                        $"lowerdir={scratch.MakeDirectory("lower")},upperdir={scratch.MakeDirectory("upper")},workdir={scratch.MakeDirectory("work")}");
                    break;
                default:
                    Tool.Run("truncate", "-s", type == "xfs" ? "320M" : "32M", scratch["image"]).Ok();
                    Tool.Run("mkfs." + type, "-q", scratch["image"]).Ok();
                    Tool.Run("mount", "-o", "loop", scratch["image"], point).Ok();
                    break;
            }
            using (var directory = LinuxDirectory.Open(point))
                action(directory);
            Mounts.Unmount(point, detach: true);
        });
    }
}
