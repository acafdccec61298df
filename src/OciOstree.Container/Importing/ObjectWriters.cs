using System.Buffers;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Threads that hash and write small files while the layers' readers go on to the next entries. One set serves all layers of an import;
/// the bytes waiting are bounded.
/// </summary>
internal sealed class ObjectWriters : IDisposable
{
    /// <summary>Files up to this size are handed over; larger ones are worth streaming where they are.</summary>
    internal const int MaxHandedOver = 256 << 10;

    private const long MaxWaitingBytes = 16 << 20;
    private const int MaxWaiting = 512;

    private readonly object gate = new();
    private readonly Queue<Job> jobs = new();
    private readonly Thread[] threads;
    private long waitingBytes;
    private bool closed;

    internal ObjectWriters(int count)
    {
        threads = new Thread[count];
        for (var i = 0; i < count; i++)
        {
            threads[i] = new Thread(Work) { Name = "object writer", IsBackground = true };
            threads[i].Start();
        }
    }

    /// <summary>A layer's share of the work.</summary>
    internal Batch Begin(RepoTransaction transaction) => new(this, transaction);

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }
    }

    private void Add(Job job)
    {
        lock (gate)
        {
            while (waitingBytes + job.Size > MaxWaitingBytes || jobs.Count >= MaxWaiting)
            {
                Monitor.Wait(gate);
            }

            waitingBytes += job.Size;
            jobs.Enqueue(job);
            Monitor.PulseAll(gate);
        }
    }

    private void Work()
    {
        while (true)
        {
            Job job;
            lock (gate)
            {
                while (jobs.Count == 0)
                {
                    if (closed)
                    {
                        return;
                    }

                    Monitor.Wait(gate);
                }

                job = jobs.Dequeue();
                waitingBytes -= job.Size;
                Monitor.PulseAll(gate);
            }

            job.Run();
        }
    }

    /// <summary>The files of one layer. Its first failure is kept, and makes the rest of the layer's work void.</summary>
    internal sealed class Batch(ObjectWriters writers, RepoTransaction transaction)
    {
        private readonly object gate = new();
        private int open;
        private Exception? failure;

        /// <summary>Reads a file's content and sees to it that it is written.</summary>
        /// <param name="expected">The checksum that the object must have; null if that is to be found out.</param>
        /// <param name="done">Called with the checksum, on any thread, unless it fails.</param>
        internal void Write(FileHeader header, long size, Stream content, Checksum? expected, Action<Checksum>? done)
        {
            ThrowIfFailed();
            if (size > MaxHandedOver)
            {
                var checksum = transaction.WriteFile(header, size, content, expected);
                done?.Invoke(checksum);
                return;
            }

            var buffer = size == 0 ? [] : ArrayPool<byte>.Shared.Rent((int)size);
            content.ReadExactly(buffer, 0, (int)size);
            lock (gate)
            {
                open++;
            }

            writers.Add(new Job(this, header, buffer, (int)size, expected, done));
        }

        /// <summary>Waits until all files are written.</summary>
        internal void Finish()
        {
            lock (gate)
            {
                while (open > 0)
                {
                    Monitor.Wait(gate);
                }
            }

            ThrowIfFailed();
        }

        /// <summary>Waits until no writer uses the transaction any more, whatever came of it.</summary>
        internal void Abandon()
        {
            lock (gate)
            {
                failure ??= new OperationCanceledException();
                while (open > 0)
                {
                    Monitor.Wait(gate);
                }
            }
        }

        internal void Run(FileHeader header, byte[] buffer, int size, Checksum? expected, Action<Checksum>? done)
        {
            Exception? error = null;
            try
            {
                if (Volatile.Read(ref failure) is null)
                {
                    using var content = new MemoryStream(buffer, 0, size, writable: false);
                    var checksum = transaction.WriteFile(header, size, content, expected);
                    done?.Invoke(checksum);
                }
            }
            catch (Exception e)
            {
                // Told by the layer's own thread, when it writes the next file or finishes.
                error = e;
            }

            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            lock (gate)
            {
                failure ??= error;
                open--;
                Monitor.PulseAll(gate);
            }
        }

        private void ThrowIfFailed()
        {
            if (Volatile.Read(ref failure) is { } error)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error).Throw();
            }
        }
    }

    private readonly record struct Job(Batch Batch, FileHeader Header, byte[] Buffer, int Size, Checksum? Expected, Action<Checksum>? Done)
    {
        internal void Run() => Batch.Run(Header, Buffer, Size, Expected, Done);
    }
}
