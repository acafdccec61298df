using OciOstree.Formats.Tar;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>Reads a layer's entries without importing it.</summary>
internal static class LayerScan
{
    /// <summary>Reads until the visitor wants no more. A layer that is read to its end is proven by its digest.</summary>
    /// <param name="visit">False stops.</param>
    /// <exception cref="ContainerException">The layer cannot be had, or makes no sense.</exception>
    internal static void Run(IImageSource source, PlannedLayer layer, ITransferProgress progress, CancellationToken cancellationToken, Func<TarEntry, Stream, bool> visit)
    {
        try
        {
            using var download = new LayerDownload(source, null, layer, progress, cancellationToken);
            try
            {
                var tar = new TarReader(download.Reader);
                while (tar.Next() is { } entry)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (!visit(entry, tar.Content))
                    {
                        return;
                    }
                }

                download.Finish();
            }
            catch (Exception e) when (e is FormatException or ContainerException or RepositoryException && download.FindCause() is { } cause)
            {
                throw new PipeBrokenException(cause);
            }
        }
        catch (PipeBrokenException e) when (e.InnerException is OperationCanceledException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (e is FormatException or ContainerException or RepositoryException or IOException)
        {
            throw new ContainerException($"Reading layer {layer.Descriptor.Digest}", e is PipeBrokenException { InnerException: { } cause } ? cause : e);
        }
    }
}
