using System.Runtime.ExceptionServices;

namespace OciOstree.Repository;

/// <summary>
/// A bounded queue and the threads that work it off, one a processor. Whoever adds waits while it is full, so memory stays flat;
/// the first failure stops everything and comes out of <see cref="Add"/> or <see cref="Finish"/>.
/// </summary>
internal sealed class WorkQueue<T> : IDisposable
{
    // A monitor rather than semaphores: those spin before they wait, and the processors have better things to do.
    private readonly object gate = new();
    private readonly Queue<T> items = new();
    private readonly int capacity;
    private readonly Thread[] threads;
    private readonly Action<T> work;
    private readonly Action<T>? drop;
    private ExceptionDispatchInfo? failure;
    private bool ended;

    /// <param name="name">Of the threads.</param>
    /// <param name="capacity">How many items may wait.</param>
    /// <param name="work">Done for each item, on several threads at once.</param>
    /// <param name="drop">Called instead of <paramref name="work"/> for what is left after a failure, to release what an item holds.</param>
    public WorkQueue(string name, int capacity, Action<T> work, Action<T>? drop = null)
    {
        (this.capacity, this.work, this.drop) = (capacity, work, drop);
        threads = new Thread[Environment.ProcessorCount];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Run) { Name = name, IsBackground = true };
            threads[i].Start();
        }
    }

    /// <summary>False once <see cref="Finish"/> was called.</summary>
    public bool IsUnfinished => !ended;

    public void Add(T item)
    {
        lock (gate)
        {
            while (items.Count >= capacity && failure == null)
                Monitor.Wait(gate);
            items.Enqueue(item);
            // Both those that add and those that work wait here, but never at once: a queue is not full and empty.
            Monitor.Pulse(gate);
        }
        failure?.Throw();
    }

    /// <summary>Waits until everything is done.</summary>
    public void Finish()
    {
        End();
        failure?.Throw();
    }

    /// <summary>Waits for the threads. If <see cref="Finish"/> was not reached, the rest of the queue is dropped.</summary>
    public void Dispose()
    {
        if (!ended)
            Fail(new OperationCanceledException());
        End();
    }

    private void End()
    {
        lock (gate)
        {
            ended = true;
            Monitor.PulseAll(gate);
        }
        foreach (Thread thread in threads)
            thread.Join();
    }

    private void Fail(Exception reason)
    {
        lock (gate)
        {
            failure ??= ExceptionDispatchInfo.Capture(reason);
            Monitor.PulseAll(gate);
        }
    }

    private void Run()
    {
        while (true)
        {
            T item;
            bool failed;
            lock (gate)
            {
                while (items.Count == 0 && !ended)
                    Monitor.Wait(gate);
                if (!items.TryDequeue(out item!))
                    return;
                failed = failure != null;
                if (items.Count == capacity - 1)
                    Monitor.PulseAll(gate);
            }
            if (failed)
            {
                drop?.Invoke(item);
                continue;
            }
            try
            {
                work(item);
            }
            catch (Exception e)
            {
                Fail(e);
            }
        }
    }
}
