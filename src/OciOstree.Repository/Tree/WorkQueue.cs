using System.Runtime.ExceptionServices;

namespace OciOstree.Repository;

/// <summary>
/// A bounded queue and the threads that work it off, one a processor. Whoever adds waits while it is full, so memory stays flat;
/// the first failure stops everything and comes out of <see cref="Add"/> or <see cref="Finish"/>.
/// </summary>
internal sealed class WorkQueue<T> : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<T> items = new();
    private readonly SemaphoreSlim places, available = new(0);
    private readonly Thread[] threads;
    private readonly Action<T> work;
    private ExceptionDispatchInfo? failure;
    private bool ended;

    /// <param name="name">Of the threads.</param>
    /// <param name="capacity">How many items may wait.</param>
    /// <param name="work">Done for each item, on several threads at once. An item that is dropped after a failure is passed to <paramref name="drop"/> instead.</param>
    /// <param name="drop">Releases what an item holds without working on it.</param>
    public WorkQueue(string name, int capacity, Action<T> work, Action<T>? drop = null)
    {
        this.work = work;
        Drop = drop;
        places = new SemaphoreSlim(capacity);
        threads = new Thread[Environment.ProcessorCount];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Run) { Name = name, IsBackground = true };
            threads[i].Start();
        }
    }

    /// <summary>False once <see cref="Finish"/> was called.</summary>
    public bool IsUnfinished => !ended;

    private Action<T>? Drop { get; }

    public void Add(T item)
    {
        places.Wait();
        lock (gate)
            items.Enqueue(item);
        available.Release();
        failure?.Throw();
    }

    /// <summary>Waits until everything is done.</summary>
    public void Finish()
    {
        End();
        failure?.Throw();
    }

    /// <summary>Waits for the threads. After a failure elsewhere the rest of the queue is dropped.</summary>
    public void Dispose()
    {
        if (!ended)
            Volatile.Write(ref failure, failure ?? ExceptionDispatchInfo.Capture(new OperationCanceledException()));
        End();
        places.Dispose();
        available.Dispose();
    }

    private void End()
    {
        if (ended)
            return;
        ended = true;
        available.Release(threads.Length);
        foreach (Thread thread in threads)
            thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            available.Wait();
            T item;
            lock (gate)
            {
                // One release more than there are items: the end.
                if (!items.TryDequeue(out item!))
                    return;
            }
            places.Release();
            if (Volatile.Read(ref failure) != null)
            {
                Drop?.Invoke(item);
                continue;
            }
            try
            {
                work(item);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }
    }
}
