using System.Runtime.ExceptionServices;

namespace OciOstree.Container;

/// <summary>Runs a list of jobs on a few threads. The first that fails stops the others, and its failure is the one told.</summary>
internal static class BoundedWork
{
    internal static void Run(int jobs, int threads, Action<int, CancellationToken> job, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var next = -1;
        Exception? failure = null;

        void Work()
        {
            for (int index; !stop.IsCancellationRequested && (index = Interlocked.Increment(ref next)) < jobs;)
            {
                try
                {
                    job(index, stop.Token);
                }
                catch (Exception e)
                {
                    // What fails after the first was most often stopped by it.
                    Interlocked.CompareExchange(ref failure, e, null);
                    stop.Cancel();
                }
            }
        }

        var workers = new Thread[Math.Clamp(threads, 1, Math.Max(jobs, 1)) - 1];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(Work) { Name = "layer import", IsBackground = true };
            workers[i].Start();
        }

        Work();
        foreach (var worker in workers)
        {
            worker.Join();
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Capture(failure).Throw();
        }
    }
}
