using System.Runtime.ExceptionServices;

namespace OciOstree.Registry;

/// <summary>
/// Does blocking work on threads of its own: on the pool's, a few blocked transfers would starve the HTTP client of the
/// threads that open its connections.
/// </summary>
internal static class Workers
{
    /// <summary>Runs <paramref name="action"/> on every item; the first failure stops the others and is thrown as it is.</summary>
    internal static void ForEach<T>(IReadOnlyList<T> items, int parallelism, CancellationToken cancellationToken, Action<T, CancellationToken> action)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        var next = -1;
        void Work()
        {
            try
            {
                for (int i; (i = Interlocked.Increment(ref next)) < items.Count;)
                {
                    stop.Token.ThrowIfCancellationRequested();
                    action(items[i], stop.Token);
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
                stop.Cancel();
            }
        }

        var threads = Enumerable.Range(0, Math.Max(0, Math.Min(parallelism, items.Count) - 1)).Select(_ => new Thread(Work) { IsBackground = true, Name = "transfer" }).ToList();
        threads.ForEach(t => t.Start());
        Work();
        threads.ForEach(t => t.Join());
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
