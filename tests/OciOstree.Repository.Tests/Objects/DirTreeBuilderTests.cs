using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>A builder's object is the one that the same entries make in any order, and no object is made that could not be read.</summary>
public sealed class DirTreeBuilderTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("builder");
    private readonly Repo repo;

    public DirTreeBuilderTests() => repo = Repo.Create(scratch["repo"], RepoMode.Archive);

    public void Dispose()
    {
        repo.Dispose();
        scratch.Dispose();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(5000, 40)]
    [InlineData(40, 5000)]
    public void Any_order_gives_the_same_object(int files, int directories)
    {
        var random = new Random(files);
        DirTree expected = DirTree.From(
            Enumerable.Range(0, files).Select(i => new DirTreeFile(Name('f', i), Checksum.Compute([(byte)i]))),
            Enumerable.Range(0, directories).Select(i => new DirTreeDirectory(Name('d', i), Checksum.Compute([(byte)i, 1]), Checksum.Compute([(byte)i, 2]))));
        // One serves directories of any size, one after the other.
        DirTreeBuilder builder = new();
        using RepoTransaction transaction = repo.BeginTransaction();
        for (int round = 0; round < 3; round++)
        {
            builder.Clear();
            foreach (DirTreeFile file in expected.Files.OrderBy(_ => round == 0 ? 0 : random.Next()))
                if (round == 1) builder.AddFile(file.Name, file.Checksum); else builder.AddFile(FileName.ToBytes(file.Name), file.Checksum);
            foreach (DirTreeDirectory directory in expected.Directories.OrderBy(_ => round == 0 ? 0 : random.Next()))
                builder.AddDirectory(directory.Name, directory.Tree, directory.Meta);
            Checksum written = transaction.WriteDirTree(builder);
            Assert.Equal(Checksum.Compute(expected.Serialize()), written);
            Assert.Equal(expected.Serialize(), repo.ReadMetadata(new ObjectName(written, ObjectType.DirTree)).ToArray());
            builder.Clear();
            builder.AddFile("alone", default);
            Assert.Equal(transaction.WriteDirTree(DirTree.From([new("alone", default)], [])), transaction.WriteDirTree(builder));
        }
    }

    [Fact]
    public void Names_that_no_directory_can_hold_are_refused()
    {
        DirTreeBuilder builder = new();
        foreach (string name in (string[])["", ".", "..", "a/b", "/", "a\0b", "\udcff", new string('x', 600) + "\udcff"])
        {
            Assert.Throws<RepositoryException>(() => builder.AddFile(name, default));
            Assert.Throws<RepositoryException>(() => builder.AddFile(FileName.ToBytes(name), default));
            Assert.Throws<RepositoryException>(() => builder.AddDirectory(name, default, default));
        }
        builder.AddFile(new string('x', 100_000), default); // as long as an object of somebody else's may have it
        builder.AddFile("...", default);
        using RepoTransaction transaction = repo.BeginTransaction();
        Assert.Equal(["...", new string('x', 100_000)], repo.ReadDirTree(transaction.WriteDirTree(builder)).Files.Select(file => file.Name));
    }

    [Fact]
    public void A_name_is_there_once()
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        foreach ((int files, int directories) in ((int, int)[])[(2, 0), (0, 2), (1, 1)])
        {
            DirTreeBuilder builder = new();
            builder.AddFile("a", default);
            builder.AddDirectory("z", default, default);
            for (int i = 0; i < files; i++)
                builder.AddFile("same", Checksum.Compute([(byte)i]));
            for (int i = 0; i < directories; i++)
                builder.AddDirectory("same", default, default);
            Assert.Contains("'same'", Assert.Throws<RepositoryException>(() => transaction.WriteDirTree(builder)).Message);
        }
    }

    // Around the length at which an element's offset needs two bytes.
    private static string Name(char kind, int number) => kind + number.ToString() + new string('é', number % 130);
}
