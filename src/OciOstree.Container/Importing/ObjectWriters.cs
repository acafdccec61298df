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

    private const long MaxWaitingBytes = 8 << 20;
    private const int MaxWaiting = 64;

    // Handing over one by one costs more than most files do.
    private const int ParcelFiles = 32;
    private const int ParcelBytes = 512 << 10;

    private readonly object gate = new();
    private readonly Queue<Parcel> parcels = new();
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

    private void Add(Parcel parcel)
    {
        lock (gate)
        {
            while (waitingBytes + parcel.Size > MaxWaitingBytes || parcels.Count >= MaxWaiting)
            {
                Monitor.Wait(gate);
            }

            waitingBytes += parcel.Size;
            parcels.Enqueue(parcel);
            Monitor.PulseAll(gate);
        }
    }

    private void Work()
    {
        while (true)
        {
            Parcel parcel;
            lock (gate)
            {
                while (parcels.Count == 0)
                {
                    if (closed)
                    {
                        return;
                    }

                    Monitor.Wait(gate);
                }

                parcel = parcels.Dequeue();
                waitingBytes -= parcel.Size;
                Monitor.PulseAll(gate);
            }

            parcel.Batch.Run(parcel);
        }
    }

    /// <summary>
    /// The files of one layer, written by its reader's thread alone. Its first failure is kept, and makes the rest of the layer's work void.
    /// </summary>
    internal sealed class Batch(ObjectWriters writers, RepoTransaction transaction)
    {
        private readonly object gate = new();
        private Parcel? filling;
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
            filling ??= new Parcel(this);
            filling.Add(new Job(header, buffer, (int)size, expected, done));
            if (filling.Count == ParcelFiles || filling.Size >= ParcelBytes)
            {
                Send();
            }
        }

        /// <summary>Waits until all files are written.</summary>
        internal void Finish()
        {
            Send();
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

        internal void Run(Parcel parcel)
        {
            foreach (var job in parcel.Jobs)
            {
                Run(job);
            }

            lock (gate)
            {
                open--;
                Monitor.PulseAll(gate);
            }
        }

        private void Run(Job job)
        {
            try
            {
                if (Volatile.Read(ref failure) is null)
                {
                    using var content = new MemoryStream(job.Buffer, 0, job.Size, writable: false);
                    var checksum = transaction.WriteFile(job.Header, job.Size, content, job.Expected);
                    job.Done?.Invoke(checksum);
                }
            }
            catch (Exception e)
            {
                // Told by the layer's own thread, when it writes the next file or finishes.
                Interlocked.CompareExchange(ref failure, e, null);
            }

            if (job.Buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(job.Buffer);
            }
        }

        private void Send()
        {
            if (filling is not { } full)
            {
                return;
            }

            filling = null;
            lock (gate)
            {
                open++;
            }

            writers.Add(full);
        }

        private void ThrowIfFailed()
        {
            if (Volatile.Read(ref failure) is { } error)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error).Throw();
            }
        }
    }

    /// <summary>Some files of one layer, handed over together.</summary>
    internal sealed class Parcel(Batch batch)
    {
        private readonly List<Job> jobs = new(ParcelFiles);

        internal Batch Batch => batch;

        internal IReadOnlyList<Job> Jobs => jobs;

        internal int Count => jobs.Count;

        internal long Size { get; private set; }

        internal void Add(in Job job)
        {
            jobs.Add(job);
            Size += job.Size;
        }
    }

    internal readonly record struct Job(FileHeader Header, byte[] Buffer, int Size, Checksum? Expected, Action<Checksum>? Done);
}
