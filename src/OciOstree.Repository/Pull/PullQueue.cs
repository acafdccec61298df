namespace OciOstree.Repository;

/// <summary>
/// Objects that a pull has yet to see to, each once. Directories come first, for they tell of more; the queue is done when
/// nothing waits and nobody works on what could still add something.
/// </summary>
internal sealed class PullQueue
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim available = new(0);
    private readonly HashSet<PullItem> seen = [];
    private readonly Stack<PullItem> trees = new();
    private readonly Queue<PullItem> others = new();
    private int working, done;
    private bool closed;

    public int Total { get { lock (gate) return seen.Count; } }

    public int Done => Volatile.Read(ref done);

    public void Add(PullItem item)
    {
        lock (gate)
        {
            if (closed || !seen.Add(item))
                return;
            if (item.Name.Type == ObjectType.DirTree)
                trees.Push(item);
            else
                others.Enqueue(item);
        }
        available.Release();
    }

    /// <summary>Runs an action for each item on several threads; the first failure ends it and is thrown.</summary>
    public void Run(int threads, Action<PullItem> action)
    {
        if (seen.Count == 0)
            return;
        Exception? failure = null;
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Work) { IsBackground = true, Name = "pull" })];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);

        void Work()
        {
            while (TryTake(out PullItem item))
            {
                try
                {
                    action(item);
                    Interlocked.Increment(ref done);
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref failure, e, null);
                    Close();
                }
                Finish();
            }
        }

        bool TryTake(out PullItem item)
        {
            available.Wait();
            lock (gate)
            {
                item = default;
                if (closed)
                {
                    available.Release(); // for the next one to see it too
                    return false;
                }
                item = trees.Count > 0 ? trees.Pop() : others.Dequeue();
                working++;
                return true;
            }
        }

        void Finish()
        {
            lock (gate)
                if (--working > 0 || trees.Count + others.Count > 0)
                    return;
            Close();
        }

        void Close()
        {
            lock (gate)
            {
                if (closed)
                    return;
                closed = true;
            }
            available.Release();
        }
    }
}
