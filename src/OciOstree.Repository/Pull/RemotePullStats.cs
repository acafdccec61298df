namespace OciOstree.Repository;

/// <summary>What a pull brought over the network and what it wrote.</summary>
public readonly record struct RemotePullStats(int MetadataFetched, int ContentFetched, long BytesTransferred, TimeSpan Duration, TransactionStats Written)
{
    /// <summary>What came by static deltas; null if none were looked for.</summary>
    public DeltaStats? Deltas { get; init; }

    /// <summary>Whether nothing was fetched as over a network: objects of a repository on this machine were linked or copied.</summary>
    public bool IsImport { get; init; }
}
