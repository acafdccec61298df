using System.Runtime.ExceptionServices;
using OciOstree.Formats.Compression;
using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>A layer that is to be made.</summary>
/// <param name="Name">What the history says of it.</param>
/// <param name="Size">Bytes of content.</param>
/// <param name="Annotations">Of its descriptor.</param>
/// <param name="Write">Writes its tar stream; called once, on any thread.</param>
internal sealed record LayerJob(
    string Name, long Size, int Objects, IReadOnlyList<string> Components, IReadOnlyDictionary<string, string>? Annotations, Action<Stream, ITransferItem, CancellationToken> Write)
{
    /// <summary>A layer of a commit.</summary>
    /// <param name="isBase">Whether it is the commit's own.</param>
    internal static LayerJob Of(Repo repo, Checksum commit, Chunk chunk, bool isBase) => new(
        chunk.Name,
        chunk.Size,
        chunk.Objects.Count,
        chunk.Components,
        isBase ? null : new Dictionary<string, string> { [ChunkPlan.ComponentsAnnotation] = string.Join(ChunkPlan.ComponentSeparator, chunk.Components) },
        (output, item, token) =>
        {
            if (isBase)
            {
                LayerWriter.WriteBase(repo, commit, chunk.Objects, output, item, token);
            }
            else
            {
                LayerWriter.WriteChunk(repo, chunk.Objects, output, item, token);
            }
        });

    /// <summary>Makes layers, several at once, each streaming into the destination.</summary>
    /// <param name="threads">0 means as many as there are processors.</param>
    /// <returns>In the order of the jobs.</returns>
    internal static EncapsulatedLayer[] Run(
        IReadOnlyList<LayerJob> jobs, IImageDestination destination, CompressionKind compression, int level, int threads, ITransferProgress progress, CancellationToken cancellationToken)
    {
        var layers = new EncapsulatedLayer[jobs.Count];
        // The largest first: the last ones to end are then small, and no core waits long for another.
        int[] order = [.. Enumerable.Range(0, jobs.Count).OrderByDescending(i => jobs[i].Size)];
        int next = -1;
        ExceptionDispatchInfo? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        progress.Expect(jobs.Count, jobs.Sum(job => job.Size));
        int count = Math.Min(threads > 0 ? threads : Environment.ProcessorCount, jobs.Count);
        Thread[] workers = [.. Enumerable.Range(0, count).Select(i => new Thread(Work) { Name = $"layer {i}", IsBackground = true })];
        foreach (Thread thread in workers)
        {
            thread.Start();
        }

        foreach (Thread thread in workers)
        {
            thread.Join();
        }

        failure?.Throw();
        return layers;

        void Work()
        {
            try
            {
                int at;
                while ((at = Interlocked.Increment(ref next)) < order.Length)
                {
                    layers[order[at]] = jobs[order[at]].Make(destination, compression, level, progress, stop.Token);
                }
            }
            catch (Exception e)
            {
                // The first failure is the cause; those of the others follow from the stop.
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                stop.Cancel();
            }
        }
    }

    private EncapsulatedLayer Make(IImageDestination destination, CompressionKind compression, int level, ITransferProgress progress, CancellationToken cancellationToken)
    {
        using ITransferItem item = progress.Begin(Name, Size > 0 ? Size : null);
        using BlobWriter blob = destination.CreateBlob();
        using var sink = new LayerSink(blob, compression, level);
        Write(sink, item, cancellationToken);
        Digest diffId = sink.Finish();
        Descriptor descriptor = blob.Complete(MediaTypeOf(compression), cancellationToken) with { Annotations = Annotations };
        return new EncapsulatedLayer(Name, descriptor, diffId, sink.Size, Objects, Components);
    }

    internal static string MediaTypeOf(CompressionKind compression) => compression switch
    {
        CompressionKind.Gzip => MediaTypes.OciLayerGzip,
        CompressionKind.Zstd => MediaTypes.OciLayerZstd,
        _ => MediaTypes.OciLayer,
    };

    /// <summary>How a layer of a media type is compressed.</summary>
    internal static CompressionKind CompressionOf(string mediaType) =>
        mediaType.EndsWith("zstd", StringComparison.Ordinal) ? CompressionKind.Zstd : mediaType.EndsWith("gzip", StringComparison.Ordinal) ? CompressionKind.Gzip : CompressionKind.None;
}
