namespace OciOstree.Repository;

/// <summary>What a transaction did. Totals count every write asked for, the others those that brought something new.</summary>
public readonly record struct TransactionStats(
    long MetadataTotal, long MetadataWritten, long ContentTotal, long ContentWritten, long ContentBytesWritten);
