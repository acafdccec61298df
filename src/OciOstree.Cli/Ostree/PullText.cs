using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>What a pull did, in ostree's words.</summary>
internal static class PullText
{
    public static string Of(TransactionStats written) =>
        $"{written.MetadataWritten} metadata, {written.ContentWritten} content objects imported; {SizeText.Of(written.ContentBytesWritten)} content written";

    public static string Of(RemotePullStats stats)
    {
        if (stats.IsImport)
            return Of(stats.Written);
        string bytes = stats.BytesTransferred == 0 ? "" : $"; {(stats.BytesTransferred < 1024 ? $"{stats.BytesTransferred} B" : $"{stats.BytesTransferred / 1024} KiB")} transferred in {(long)stats.Duration.TotalSeconds} seconds";
        // What parts made ostree does not count.
        long content = stats.Written.ContentBytesWritten - (stats.Deltas?.ContentWritten ?? 0);
        return $"{Fetched(stats)}{bytes}; {SizeText.Of(content)} content written";
    }

    /// <summary>What a dry run would get.</summary>
    public static string OfDryRun(DeltaStats deltas) =>
        $"Delta update: {deltas.PartsFetched}/{deltas.Parts} parts, {Size(deltas.SizeFetched)}/{Size(deltas.Size)}, {Size(deltas.UncompressedSize)} total uncompressed";

    private static string Fetched(RemotePullStats stats)
    {
        if (stats.Deltas is { PartsFetched: > 0 and var parts })
            return $"{parts} delta parts, {stats.MetadataFetched + stats.ContentFetched} loose fetched";
        long metadata = Math.Max(0, stats.Written.MetadataWritten - stats.MetadataFetched), content = Math.Max(0, stats.Written.ContentWritten - stats.ContentFetched);
        string local = metadata > 0 || content > 0 ? $" ({metadata} meta, {content} content local)" : "";
        return $"{stats.MetadataFetched} metadata, {stats.ContentFetched} content objects fetched{local}";
    }

    private static string Size(ulong bytes) => SizeText.Of((long)Math.Min(bytes, long.MaxValue));
}
