namespace OciOstree.Container;

/// <summary>How much may come of some bytes. No compressor's ratio on an operating system comes near, nor do the holes of its files; a bomb's do.</summary>
internal static class ExpansionLimit
{
    /// <summary>What may come of a byte, beyond what is free.</summary>
    internal const long Ratio = 250;

    private const long FreeBytes = 8L << 30;

    /// <summary>The most that may come of so many bytes.</summary>
    internal static long Of(long bytes) => FreeBytes + (bytes * Ratio);
}
