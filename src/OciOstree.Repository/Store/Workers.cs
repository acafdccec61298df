namespace OciOstree.Repository;

/// <summary>Blocking work spread over one thread a processor.</summary>
internal static class Workers
{
    /// <summary>Runs an action for each item, in about their order; the first failure stops the rest and is thrown as it is.</summary>
    public static void Each<T>(IReadOnlyList<T> items, CancellationToken cancellation, Action<T> action)
    {
        int count = Math.Min(Environment.ProcessorCount, items.Count);
        int next = 0;
        Exception? failure = null;
        void Work()
        {
            try
            {
                for (int i; Volatile.Read(ref failure) is null && (i = Interlocked.Increment(ref next) - 1) < items.Count;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    action(items[i]);
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }
        Thread[] others = new Thread[Math.Max(0, count - 1)];
        for (int i = 0; i < others.Length; i++)
        {
            others[i] = new Thread(Work) { IsBackground = true, Name = "objects" };
            others[i].Start();
        }
        Work();
        foreach (Thread other in others)
            other.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
