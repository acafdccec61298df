using OciOstree.Formats.Compression;
using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>A whole commit as one tar stream: the layer that an image with a single one has.</summary>
public static class CommitArchive
{
    /// <summary>Writes a commit and all of its objects.</summary>
    /// <exception cref="RepositoryException">An object is missing or damaged.</exception>
    public static void Export(Repo repo, Checksum commit, Stream output, CancellationToken cancellationToken = default)
    {
        using var item = TransferProgress.None.Begin("", null);
        LayerWriter.WriteBase(repo, commit, CommitContent.Read(repo, commit, cancellationToken).Objects, output, item, cancellationToken);
    }

    /// <summary>Reads such a stream, compressed or not, into a repository. No ref is written.</summary>
    /// <returns>The commit.</returns>
    /// <exception cref="ContainerException">It is no such stream, or does not hold all of its commit.</exception>
    public static Checksum Import(Repo repo, Stream input, CancellationToken cancellationToken = default)
    {
        try
        {
            using var transaction = repo.BeginTransaction();
            using var buffered = new BufferedStream(input, 256 << 10);
            using var content = Decompressor.Open(buffered, leaveOpen: true);
            var commit = Read(content, transaction);
            cancellationToken.ThrowIfCancellationRequested();

            // Until it is known to be whole, nobody is to take it for that.
            transaction.MarkPartial(commit, true);
            transaction.Commit();
            if (ObjectCheck.FindMissing(repo, commit) is { } missing)
            {
                throw new ContainerException($"the archive does not hold all of commit {commit}: {missing} is missing");
            }

            using var whole = repo.BeginTransaction();
            whole.MarkPartial(commit, false);
            whole.Commit();
            return commit;
        }
        catch (Exception e) when (e is FormatException or ContainerException or RepositoryException)
        {
            throw new ContainerException("Importing the archive", e);
        }
    }

    private static Checksum Read(Stream content, RepoTransaction transaction)
    {
        using var writers = new ObjectWriters(Environment.ProcessorCount);
        var batch = writers.Begin(transaction);
        try
        {
            return ObjectLayerReader.ReadCommitLayer(new TarReader(content), transaction, batch);
        }
        catch
        {
            batch.Abandon();
            throw;
        }
    }
}
