using OciOstree.Repository;

namespace OciOstree.Container.Tests;

public sealed class CommitArchiveTests
{
    [Theory]
    [InlineData(RepoMode.Bare, RepoMode.Archive)]
    [InlineData(RepoMode.Archive, RepoMode.BareUser)]
    public void A_commit_goes_through_a_stream(RepoMode from, RepoMode to)
    {
        using var test = new TestRepo(from);
        Checksum commit = test.CommitFiles(("usr/bin/sh", "shell"), ("usr/etc/conf", ""), ("usr/lib/x", "shell"));
        using var stream = new MemoryStream();
        CommitArchive.Export(test.Repo, commit, stream);

        using var other = new TestRepo(to);
        stream.Position = 0;
        Assert.Equal(commit, CommitArchive.Import(other.Repo, stream));
        Assert.Equal(test.Tree(commit), other.Tree(commit));
        Assert.Equal(CommitState.Whole, other.Repo.StateOf(commit));
    }

    [Fact]
    public void The_stream_is_what_a_single_layer_of_the_peer_is()
    {
        using var test = new TestRepo();
        using MemoryImage image = MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-single.ociarchive"));
        ImportedImage imported = test.Import(image);
        using var stream = new MemoryStream();
        CommitArchive.Export(test.Repo, imported.BaseCommit!.Value, stream);
        Assert.Equal(imported.Config.DiffIds[0], Registry.Digest.Compute(stream.ToArray()));
    }

    [Fact]
    public void What_breaks_off_leaves_no_whole_commit()
    {
        using var test = new TestRepo();
        Checksum commit = test.CommitFiles(("usr/bin/sh", new string('s', 5000)), ("usr/lib/x", "x"));
        using var stream = new MemoryStream();
        CommitArchive.Export(test.Repo, commit, stream);
        byte[] bytes = stream.ToArray();
        using var other = new TestRepo();
        for (int length = 0; length < bytes.Length - 1024; length += 7 * 1024)
        {
            Assert.Throws<ContainerException>(() => CommitArchive.Import(other.Repo, new MemoryStream(bytes[..length])));
            Assert.False(other.Repo.HasObject(new ObjectName(commit, ObjectType.Commit)) && other.Repo.StateOf(commit) == CommitState.Whole, $"whole after {length} bytes");
        }

        Assert.Equal(commit, CommitArchive.Import(other.Repo, new MemoryStream(bytes)));
    }
}
