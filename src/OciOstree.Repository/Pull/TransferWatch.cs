namespace OciOstree.Repository;

/// <summary>
/// Ends transfers that take longer than they may. One clock for all of them, looked at every second: setting one anew for each of ten thousand
/// small files costs more than fetching them.
/// </summary>
internal sealed class TransferWatch : IDisposable
{
    private readonly Lock gate = new();
    private readonly HashSet<Watched> running = [];
    private readonly CancellationToken cancellation;
    private readonly Timer timer;

    public TransferWatch(CancellationToken cancellation)
    {
        this.cancellation = cancellation;
        timer = new Timer(_ => Look(), null, 1000, 1000);
    }

    /// <summary>A transfer; its token is cancelled when its time is over or all is.</summary>
    public sealed class Watched(TransferWatch watch) : IDisposable
    {
        private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(watch.cancellation);
        private long deadline = long.MaxValue;

        public CancellationToken Token => source.Token;

        /// <summary>Sets how long it may take from now on.</summary>
        public void Allow(TimeSpan time) => Volatile.Write(ref deadline, time == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)time.TotalMilliseconds);

        internal void Look(long now)
        {
            if (now < Volatile.Read(ref deadline))
                return;
            try
            {
                source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                return; // it has just ended
            }
        }

        public void Dispose()
        {
            watch.End(this);
            source.Dispose();
        }
    }

    public Watched Begin(TimeSpan time)
    {
        Watched begun = new(this);
        begun.Allow(time);
        lock (gate)
            running.Add(begun);
        return begun;
    }

    private void End(Watched ended)
    {
        lock (gate)
            running.Remove(ended);
    }

    private void Look()
    {
        Watched[] all;
        lock (gate)
            all = [.. running];
        foreach (Watched one in all)
            one.Look(Environment.TickCount64);
    }

    public void Dispose() => timer.Dispose();
}
