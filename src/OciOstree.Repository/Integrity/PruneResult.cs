namespace OciOstree.Repository;

/// <summary>What a prune looked at and deleted, or would have.</summary>
public readonly record struct PruneResult(int ObjectsTotal, int ObjectsPruned, long BytesFreed);
