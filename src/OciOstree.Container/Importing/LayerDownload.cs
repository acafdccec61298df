using System.Security.Cryptography;
using OciOstree.Formats;
using OciOstree.Formats.Compression;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// A layer on its way in: a thread of its own fetches and decompresses it, checking the blob's digest and the diff id of what comes out,
/// while the reader takes the tar apart. What was read is to be believed only once <see cref="Finish"/> has returned.
/// </summary>
internal sealed class LayerDownload : IDisposable
{
    // Tar writers pad their last record, by kilobytes.
    private const long MaxTrailer = 16 << 20;

    // Twenty blocks, as tar writes them at a time.
    private const int TarRecord = 10240;

    private const int ReadSize = 256 << 10;

    private readonly Thread thread;
    private readonly BytePipe pipe = new();
    private readonly CancellationTokenSource cancellation;
    private readonly ITransferProgress progress;

    /// <param name="partial">Where what comes is kept until the layer is imported; null does not keep it.</param>
    internal LayerDownload(IImageSource source, PartialBlobs? partial, PlannedLayer layer, ITransferProgress progress, CancellationToken cancellationToken)
    {
        this.progress = progress;
        cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Reader = pipe.OpenReader();
        thread = new Thread(() => Run(source, partial, layer)) { Name = "layer download", IsBackground = true };
        thread.Start();
    }

    /// <summary>The layer's tar, uncompressed. A failure to get it shows as <see cref="PipeBrokenException"/>.</summary>
    internal Stream Reader { get; }

    /// <summary>Reads on to the end and returns once the blob is proven to be what the manifest said.</summary>
    internal void Finish()
    {
        Span<byte> rest = stackalloc byte[4096];
        long trailer = 0;
        for (int count; (count = Reader.Read(rest)) > 0;)
        {
            if ((trailer += count) > MaxTrailer)
            {
                throw new ContainerException($"more than {MaxTrailer >> 20} MiB follow the end of the archive");
            }
        }

        thread.Join();
    }

    /// <summary>
    /// What is really wrong with a layer whose content made no sense: its digest, most often. Reads on as far as that needs; null if
    /// the blob is as described.
    /// </summary>
    internal Exception? FindCause()
    {
        try
        {
            Finish();
            return null;
        }
        catch (PipeBrokenException e)
        {
            return e.InnerException;
        }
        catch (ContainerException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        cancellation.Cancel();
        pipe.Dispose();
        thread.Join();
        Reader.Dispose();
        cancellation.Dispose();
    }

    private void Run(IImageSource source, PartialBlobs? partial, PlannedLayer layer)
    {
        try
        {
            var descriptor = layer.Descriptor;
            using var item = progress.Begin(Label(descriptor.Digest), descriptor.Size);
            using var blob = partial is null ? source.OpenBlob(descriptor, cancellation.Token) : source.OpenBlob(descriptor, partial, cancellation.Token);
            using var counted = new CountingStream(blob, item);
            try
            {
                // Decompressors ask for a few kilobytes at a time; files and sockets are better asked for more.
                using var buffered = new BufferedStream(counted, ReadSize);
                using var content = Decompressor.Open(buffered, leaveOpen: true);
                using var checkedContent = new VerifiedContent(content, counted, layer.DiffId);
                pipe.Fill(checkedContent);
            }
            catch (FormatException)
            {
                // Damage shows in the compressed data first; that it is not the blob asked for says more.
                counted.CopyTo(Stream.Null);
                throw;
            }
        }
        catch (Exception e)
        {
            // Whatever it is, the reader's thread is the one that can tell it.
            pipe.Complete(e);
        }
    }

    private static string Label(Digest digest) => digest.Hex[..12];

    private sealed class CountingStream(Stream inner, ITransferItem item) : ForwardReadStream
    {
        internal long Count { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            Count += count;
            item.Advance(count);
            return count;
        }
    }

    /// <summary>The content; at its end the blob is read out, which proves its digest, and the diff id is compared.</summary>
    private sealed class VerifiedContent(Stream content, CountingStream blob, Digest diffId) : ForwardReadStream
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long total;
        private bool ended;

        public override int Read(Span<byte> buffer)
        {
            if (ended)
            {
                return 0;
            }

            var count = content.Read(buffer);
            if (count == 0)
            {
                End();
                return 0;
            }

            hash.AppendData(buffer[..count]);
            total += count;
            return total <= ExpansionLimit.Of(blob.Count)
                ? count
                : throw new ContainerException($"the layer expands to more than {ExpansionLimit.Ratio} times its size: {total} bytes from {blob.Count}");
        }

        protected override void Dispose(bool disposing)
        {
            hash.Dispose();
            base.Dispose(disposing);
        }

        private void End()
        {
            Span<byte> rest = stackalloc byte[4096];
            while (blob.Read(rest) > 0)
            {
            }

            // Another image may name the same content by its diff id and get this layer: a false one must not be stored.
            if (diffId.Algorithm == "sha256" && Digest.FromSha256(hash.GetCurrentHash()) is var actual && actual != diffId && !IsPadded())
            {
                throw new ContainerException($"the layer's uncompressed digest is {actual}, not {diffId}");
            }

            ended = true;
        }

        // Containers' tools made zstd:chunked layers for some years without the zeros that fill an archive's last record.
        private bool IsPadded()
        {
            var missing = (int)(-total % TarRecord + TarRecord) % TarRecord;
            hash.AppendData(new byte[missing]);
            return Digest.FromSha256(hash.GetCurrentHash()) == diffId;
        }
    }
}
