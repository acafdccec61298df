using System.Diagnostics;

namespace OciOstree.Registry.Http;

/// <summary>
/// Notices a server that sends, but next to nothing. A silent one is the socket's timeout's affair; this is for one that
/// would hold us by a byte a minute.
/// </summary>
internal struct StallWatch(TimeSpan timeout)
{
    private const long LeastBytes = 4 << 10;
    private long windowStart = Stopwatch.GetTimestamp();
    private long windowBytes;

    /// <exception cref="TimeoutException">Fewer than 4 KiB came within the timeout.</exception>
    internal void Received(int bytes)
    {
        windowBytes += bytes;
        if (Stopwatch.GetElapsedTime(windowStart) < timeout)
        {
            return;
        }

        if (windowBytes < LeastBytes)
        {
            throw new TimeoutException("stalled");
        }

        windowStart = Stopwatch.GetTimestamp();
        windowBytes = 0;
    }
}
