using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>Trees that are deeper than a stack are refused: to run over it would be the end of the process.</summary>
public sealed class DeepTreeTests : IDisposable
{
    private const int Depth = 2500;
    private readonly ScratchDirectory scratch = new("deep");
    private readonly Repo repo;
    private readonly Checksum commit, tree, meta;

    public DeepTreeTests()
    {
        repo = Repo.Create(scratch["repo"], RepoMode.Archive);
        repo.DisableFsync();
        using RepoTransaction transaction = repo.BeginTransaction();
        meta = transaction.WriteDirMeta(new DirMeta(0, 0, 0x41ED, XattrSet.Empty));
        tree = transaction.WriteDirTree(DirTree.Empty);
        for (int i = 0; i < Depth; i++)
            tree = transaction.WriteDirTree(DirTree.From([], [new DirTreeDirectory("d", tree, meta)]));
        commit = transaction.WriteCommit(new Commit { RootTree = tree, RootMeta = meta });
        transaction.Commit();
    }

    public void Dispose()
    {
        repo.Dispose();
        scratch.Dispose();
    }

    [Fact]
    public void They_are_not_checked_out() => Refused(() =>
    {
        using LinuxDirectory parent = LinuxDirectory.Open(scratch.Path);
        Checkout.Run(repo, commit, parent, "out");
    });

    [Fact]
    public void They_are_not_exported() => Refused(() => TarExport.Run(repo, commit, Stream.Null));

    [Fact]
    public void They_are_not_compared() => Refused(() => TreeDiff.Between(TreeSide.OfTree(repo, DirTreeOfNothing()), TreeSide.OfCommit(repo, commit)));

    [Fact]
    public void They_are_not_laid_over_others() => Refused(() =>
    {
        MutableTree lower = MutableTree.FromTree(repo, tree, meta);
        MutableTree deepest = lower;
        for (int i = 0; i < Depth; i++)
            deepest = deepest.TryGetDirectory("d")!;
        deepest.GetOrAddDirectory("more").Metadata = meta;
        lower.Overlay(repo, tree, meta);
    });

    [Fact]
    public void They_are_not_written() => Refused(() =>
    {
        MutableTree top = new() { Metadata = meta }, deepest = top;
        for (int i = 0; i < Depth; i++)
            (deepest = deepest.GetOrAddDirectory("d")).Metadata = meta;
        using RepoTransaction transaction = repo.BeginTransaction();
        top.Write(transaction);
    });

    private Checksum DirTreeOfNothing()
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        Checksum empty = transaction.WriteDirTree(DirTree.Empty);
        transaction.Commit();
        return empty;
    }

    // On a stack of a size that these few directories fill.
    private static void Refused(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.Contains("nested too deeply", ErrorChain.Of(Assert.IsType<RepositoryException>(failure)));
    }
}
