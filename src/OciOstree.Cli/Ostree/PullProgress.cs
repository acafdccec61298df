using System.Diagnostics;

namespace OciOstree.Cli.Ostree;

/// <summary>How far a pull is, on one line of a terminal's standard error that is written over; nothing where that is no terminal.</summary>
internal sealed class PullProgress : IDisposable
{
    private readonly Lock gate = new();
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly TimeSpan interval;
    private readonly bool shown = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
    private TimeSpan next;
    private int width;

    /// <param name="milliseconds">How often the line changes; 0 is every second.</param>
    public PullProgress(int milliseconds) => interval = TimeSpan.FromMilliseconds(milliseconds == 0 ? 1000 : milliseconds);

    /// <summary>Called from many threads, for every object.</summary>
    public void Report(int done, int total, long bytes)
    {
        if (!shown || Stopwatch.GetElapsedTime(start) < next)
            return;
        lock (gate)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            if (elapsed < next)
                return;
            next = elapsed + interval;
            string rate = elapsed.TotalSeconds > 0 ? SizeText.Of((long)(bytes / elapsed.TotalSeconds)) : "0 bytes";
            Write(bytes == 0 ? $"Importing objects: {done}/{total}" : $"Receiving objects: {Percent(done, total)}% ({done}/{total}) {rate}/s {SizeText.Of(bytes)}");
        }
    }

    // Directories tell of more as they come, so the total grows: it is never quite done before the end.
    private static int Percent(int done, int total) => total == 0 ? 0 : Math.Min(99, (int)(100L * done / total));

    private void Write(string line)
    {
        Console.Error.Write("\r" + line.PadRight(width));
        width = line.Length;
    }

    public void Dispose()
    {
        lock (gate)
        {
            next = TimeSpan.MaxValue;
            if (width > 0)
                Console.Error.Write("\r" + new string(' ', width) + "\r");
            width = 0;
        }
    }
}
