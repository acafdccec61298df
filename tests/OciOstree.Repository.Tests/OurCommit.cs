using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Commits through the library as <see cref="RealOstree.Commit"/> does through the real program.</summary>
internal static class OurCommit
{
    public static Checksum Directory(Repo repo, string path, CommitModifier? modifier = null) => Run(repo, modifier, writer =>
    {
        using LinuxDirectory directory = LinuxDirectory.Open(path);
        writer.AddDirectory(directory);
    });

    public static Checksum Tar(Repo repo, string path, TarCommitOptions? options = null, CommitModifier? modifier = null) => Run(repo, modifier, writer =>
    {
        using FileStream archive = File.OpenRead(path);
        writer.AddTar(archive, options);
    });

    public static Checksum Run(Repo repo, CommitModifier? modifier, Action<TreeWriter> add, Checksum? baseCommit = null)
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        MutableTree root = baseCommit is { } commit ? MutableTree.FromCommit(repo, commit) : new MutableTree();
        add(new TreeWriter(transaction, root, modifier));
        Checksum tree = root.Write(transaction);
        Checksum checksum = transaction.WriteCommit(new Commit { RootTree = tree, RootMeta = root.Metadata!.Value, Timestamp = RealOstree.TimestampSeconds });
        transaction.SetRef("test", checksum);
        transaction.Commit();
        return checksum;
    }
}
