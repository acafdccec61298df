using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Brings one layer into the repository: its objects and a commit that holds them.</summary>
internal sealed class LayerImporter
{
    private readonly LayerTransactions transactions;
    private readonly IImageSource source;
    private readonly PendingLayers pending;
    private readonly ObjectWriters writers;
    private readonly ITransferProgress progress;

    internal LayerImporter(LayerTransactions transactions, IImageSource source, PendingLayers pending, ObjectWriters writers, ITransferProgress progress) =>
        (this.transactions, this.source, this.pending, this.writers, this.progress) = (transactions, source, pending, writers, progress);

    /// <param name="paths">How derived content is mapped.</param>
    /// <param name="labels">How derived content is labelled as far as is known yet.</param>
    /// <exception cref="ContainerException">The layer cannot be had, or is not what it should be; the repository shows nothing of it.</exception>
    internal (Checksum Commit, DroppedContent Dropped) Run(PlannedLayer layer, LayerPath paths, ContentLabels? labels, CancellationToken cancellationToken)
    {
        try
        {
            using var download = new LayerDownload(source, pending.Partial, layer, progress, cancellationToken);
            using var lease = transactions.Enter();
            var batch = writers.Begin(lease.Transaction);
            try
            {
                var tar = new TarReader(download.Reader);
                var result = Read(layer.Kind, tar, lease.Transaction, batch, paths, labels);
                download.Finish();
                lease.Complete(result.Commit);
                // Noted before what came is given up: whenever this is killed, one of the two is there.
                pending.Add(layer.Descriptor.Digest, layer.DiffId, result.Commit);
                pending.Partial.Remove(layer.Descriptor.Digest);
                return result;
            }
            catch (PipeBrokenException e)
            {
                batch.Abandon();
                // What came before a connection broke is good for the next try.
                if (e.InnerException is not (RegistryException or OperationCanceledException))
                {
                    pending.Partial.Remove(layer.Descriptor.Digest);
                }

                throw;
            }
            catch (Exception e) when (e is FormatException or ContainerException or RepositoryException)
            {
                batch.Abandon();
                // Content that does not do now will not later, and a full disk needs the room.
                pending.Partial.Remove(layer.Descriptor.Digest);
                // Content that makes no sense is most often a blob that is not the one asked for.
                if (IsAboutContent(e) && download.FindCause() is { } cause)
                {
                    throw new PipeBrokenException(cause);
                }

                throw;
            }
            catch
            {
                batch.Abandon();
                throw;
            }
        }
        catch (PipeBrokenException e) when (e.InnerException is not OperationCanceledException)
        {
            throw new ContainerException($"Fetching layer {layer.Descriptor.Digest}", e.InnerException!);
        }
        catch (PipeBrokenException e)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (e is FormatException or ContainerException or RepositoryException or IOException)
        {
            throw new ContainerException($"Importing layer {layer.Descriptor.Digest}", e);
        }
    }

    private static (Checksum Commit, DroppedContent Dropped) Read(LayerKind kind, TarReader tar, RepoTransaction transaction, ObjectWriters.Batch batch, LayerPath paths, ContentLabels? labels) => kind switch
    {
        LayerKind.Commit => (ObjectLayerReader.ReadCommitLayer(tar, transaction, batch), DroppedContent.None),
        LayerKind.Chunk => (ObjectLayerReader.ReadChunk(tar, transaction, batch), DroppedContent.None),
        _ => DerivedLayerReader.Read(tar, transaction, batch, paths, labels),
    };

    // A disk that is full makes the same exceptions but has nothing to do with the blob.
    private static bool IsAboutContent(Exception e) => e is not RepositoryException { InnerException: IOException };
}
