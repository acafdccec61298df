namespace OciOstree.Repository.Tests;

/// <summary>An archive with one commit of a few files at <c>main</c>, made once for all tests of a class, which only read it.</summary>
public sealed class SmallSource : IDisposable
{
    private readonly ScratchDirectory scratch = new("small-source");

    public SmallSource()
    {
        byte[] noise = new byte[600_000];
        new Random(7).NextBytes(noise);
        scratch.MakeDirectory("tree/usr");
        File.WriteAllBytes(scratch["tree/usr/noise"], noise);
        for (int i = 0; i < 20; i++)
            scratch.Write($"tree/usr/small{i}", $"small {i}");
        Commit = Ostree.Commit(Ostree.Init(Path, RepoMode.Archive), scratch["tree"], "main");
        using Repo source = Repo.Open(Path);
        Noise = source.Traverse(Commit).Single(name => name.Type == ObjectType.File && new FileInfo(FileOf(name)).Length > noise.Length).Checksum;
        Tree = source.ReadCommit(Commit).RootTree;
    }

    public string Path => scratch["source"];

    public Checksum Commit { get; }

    /// <summary>The file that is too large for one packet.</summary>
    public Checksum Noise { get; }

    public Checksum Tree { get; }

    public string NoisePath => PathOf(new ObjectName(Noise, ObjectType.File));

    public string TreePath => PathOf(new ObjectName(Tree, ObjectType.DirTree));

    /// <summary>Where a server has an object.</summary>
    public static string PathOf(ObjectName name) => "objects/" + LoosePath.Of(name, RepoMode.Archive);

    public byte[] Read(string path) => File.ReadAllBytes(System.IO.Path.Combine(Path, path));

    private string FileOf(ObjectName name) => System.IO.Path.Combine(Path, PathOf(name));

    public void Dispose() => scratch.Dispose();
}
