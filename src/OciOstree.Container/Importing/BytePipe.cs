using System.Buffers;
using OciOstree.Formats;

namespace OciOstree.Container;

/// <summary>
/// A bounded queue of bytes from one thread to another: it lets decompression and what follows it run at once, in memory that does not
/// grow with the layer.
/// </summary>
internal sealed class BytePipe : IDisposable
{
    // Large enough that handing over costs nothing beside the work on them, small enough to stay in a core's cache.
    private const int BlockSize = 128 << 10;
    private const int MaxBlocks = 8;

    private readonly object gate = new();
    private readonly Queue<(byte[] Bytes, int Count)> blocks = new();
    private Exception? failure;
    private bool completed;
    private bool abandoned;

    /// <summary>Copies a stream into the pipe and ends it; returns early once the reader has gone.</summary>
    internal void Fill(Stream source)
    {
        while (true)
        {
            var block = ArrayPool<byte>.Shared.Rent(BlockSize);
            // Decompressors return short reads; full blocks keep the number of handovers low.
            var count = source.ReadAtLeast(block, BlockSize, throwOnEndOfStream: false);
            if (count == 0 || !Put(block, count))
            {
                ArrayPool<byte>.Shared.Return(block);
                break;
            }
        }

        Complete(null);
    }

    /// <summary>Ends the pipe; with a failure, the reader gets that in place of the end.</summary>
    internal void Complete(Exception? error)
    {
        lock (gate)
        {
            failure ??= error;
            completed = true;
            Monitor.PulseAll(gate);
        }
    }

    internal Stream OpenReader() => new Reader(this);

    /// <summary>The reader wants no more: the writer stops.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            abandoned = true;
            Monitor.PulseAll(gate);
        }
    }

    private bool Put(byte[] block, int count)
    {
        lock (gate)
        {
            while (blocks.Count == MaxBlocks && !abandoned)
            {
                Monitor.Wait(gate);
            }

            if (abandoned)
            {
                return false;
            }

            blocks.Enqueue((block, count));
            Monitor.PulseAll(gate);
            return true;
        }
    }

    private bool Take(out byte[] block, out int count)
    {
        lock (gate)
        {
            while (blocks.Count == 0 && !completed)
            {
                Monitor.Wait(gate);
            }

            if (blocks.TryDequeue(out var next))
            {
                (block, count) = next;
                Monitor.PulseAll(gate);
                return true;
            }

            (block, count) = ([], 0);
            // Thrown anew for each read: the reader may look again to learn why its format broke off.
            return failure is null ? false : throw new PipeBrokenException(failure);
        }
    }

    private sealed class Reader(BytePipe pipe) : ForwardReadStream
    {
        private byte[] block = [];
        private int at;
        private int end;

        public override int Read(Span<byte> buffer)
        {
            if (at == end && !Next())
            {
                return 0;
            }

            var count = Math.Min(buffer.Length, end - at);
            block.AsSpan(at, count).CopyTo(buffer);
            at += count;
            return count;
        }

        private bool Next()
        {
            if (block.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(block);
                block = [];
                (at, end) = (0, 0);
            }

            if (!pipe.Take(out var next, out var count))
            {
                return false;
            }

            (block, at, end) = (next, 0, count);
            return true;
        }
    }
}

/// <summary>Carries a failure of the pipe's writer to its reader.</summary>
internal sealed class PipeBrokenException(Exception cause) : IOException(cause.Message, cause);
