using OciOstree.Formats.GVariant;

namespace OciOstree.Repository.Tests;

/// <summary>What is said about a tree gives the same commit as the real ostree's options.</summary>
public class CommitDraftTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(9)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(29)]
    [InlineData(60)]
    public void A_bootable_commit_has_its_metadata_in_ostree_s_order(int keys)
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/usr/lib/modules/6.1.0-test/vmlinuz", "kernel");
        scratch.MakeDirectory("tree/usr/lib/modules/5.0-empty");
        var metadata = Enumerable.Range(0, keys).Select(i => KeyValuePair.Create($"{(char)('a' + i * 7 % 26)}key.{i * i}{(i == 3 ? "é" : "")}", Variant.String($"v{i}"))).ToArray();
        RealOstree.Init(scratch["theirs"], RepoMode.Archive);
        string expected = Tool.Run("ostree", ["commit", "--repo=" + scratch["theirs"], "-b", "zz/branch", "--bind-ref=another", "--bootable", "-s", "Subject", "-m", "Body\nlines",
            "--timestamp=" + RealOstree.Timestamp, .. metadata.Select(entry => $"--add-metadata-string={entry.Key}={entry.Value.AsString()}"), "--tree=dir=" + scratch["tree"]]).Ok().OutputLine;

        var draft = new CommitDraft
        {
            Subject = "Subject",
            Body = "Body\nlines",
            Timestamp = RealOstree.TimestampSeconds,
            Metadata = metadata,
            BoundRefs = ["zz/branch", "another"],
            Bootable = true,
        };
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        Assert.Equal(expected, Write(repo, scratch["tree"], draft).ToString());
    }

    [Fact]
    public void A_commit_is_bound_to_branches_and_to_the_collection()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", "x");
        string init = "ostree init --mode=archive --collection-id=org.example.Collection --repo=";
        Tool.Shell($"{init}{scratch["theirs"]}; {init}{scratch["ours"]}").Ok();
        string first = Tool.Run("ostree", "commit", "--repo=" + scratch["theirs"], "-b", "b", "--timestamp=" + RealOstree.Timestamp, "--add-metadata=n=uint32 5", "--tree=dir=" + scratch["tree"]).Ok().OutputLine;
        string second = Tool.Run("ostree", "commit", "--repo=" + scratch["theirs"], "--orphan", "--parent=" + first, "--timestamp=" + RealOstree.Timestamp,
            "--add-metadata-string=ostree.collection-binding=other", "--tree=dir=" + scratch["tree"]).Ok().OutputLine;

        using Repo repo = Repo.Open(scratch["ours"]);
        Checksum ours = Write(repo, scratch["tree"], new CommitDraft
        {
            Timestamp = RealOstree.TimestampSeconds,
            BoundRefs = ["b"],
            Metadata = [new("n", Variant.UInt32(5))],
        });
        Assert.Equal(first, ours.ToString());
        Assert.Equal(second, Write(repo, scratch["tree"], new CommitDraft
        {
            Timestamp = RealOstree.TimestampSeconds,
            Parent = ours,
            BoundRefs = [],
            Metadata = [new(Bindings.CollectionKey, Variant.String("other"))],
        }).ToString());
    }

    [Theory]
    [InlineData("", "Opening usr/lib/modules")]
    [InlineData("usr/lib/modules/1/other", "No kernel found in /usr/lib/modules")]
    [InlineData("usr/lib/modules/1/vmlinuz usr/lib/modules/2/vmlinuz", "Multiple kernels found in /usr/lib/modules")]
    public void A_tree_without_its_one_kernel_is_not_bootable(string files, string message)
    {
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("tree");
        foreach (string file in files.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            scratch.Write("tree/" + file, "");
        using Repo repo = Repo.Create(scratch["ours"], RepoMode.Archive);
        Assert.Equal(message, Assert.ThrowsAny<RepositoryException>(() => Write(repo, scratch["tree"], new CommitDraft { Timestamp = 1, Bootable = true })).Message);
        Assert.Empty(repo.ListObjects());
    }

    private static Checksum Write(Repo repo, string path, CommitDraft draft)
    {
        using RepoTransaction transaction = repo.BeginTransaction();
        var root = new MutableTree();
        using var directory = Linux.LinuxDirectory.Open(path);
        new TreeWriter(transaction, root).AddDirectory(directory);
        Checksum commit = draft.Write(transaction, root);
        transaction.Commit();
        return commit;
    }
}
