namespace OciOstree.Repository.Tests;

public class DirTreeDirectoriesTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 3)]
    [InlineData(400, 300)]
    public void Subdirectories_alone_are_those_of_the_whole(int files, int directories)
    {
        byte[] bytes = Tree(files, directories).Serialize();
        Assert.Equal(DirTree.Parse(bytes).Directories, DirTree.ParseDirectories(bytes));
    }

    [Fact]
    public void Damage_is_told()
    {
        byte[] bytes = Tree(3, 5).Serialize();
        for (int at = 0; at < bytes.Length; at++)
        {
            foreach (byte value in new byte[] { 0, 1, (byte)'/', 0x7f, 0xff })
            {
                byte[] damaged = [.. bytes];
                damaged[at] = value;
                try
                {
                    DirTree.ParseDirectories(damaged);
                    DirTree.ParseDirectories(damaged.AsSpan(0, at));
                }
                catch (RepositoryException)
                {
                    // What it is allowed to throw.
                }
            }
        }
    }

    private static DirTree Tree(int files, int directories) => DirTree.From(
        Enumerable.Range(0, files).Select(i => new DirTreeFile($"file-{i}", Checksum.Compute([(byte)i]))),
        Enumerable.Range(0, directories).Select(i => new DirTreeDirectory($"dir-{i}", Checksum.Compute([(byte)i, 1]), Checksum.Compute([(byte)i, 2]))));
}
