namespace OciOstree.Repository;

/// <summary>What a pull brought over the network and what it wrote.</summary>
public readonly record struct RemotePullStats(int MetadataFetched, int ContentFetched, long BytesTransferred, TimeSpan Duration, TransactionStats Written);
