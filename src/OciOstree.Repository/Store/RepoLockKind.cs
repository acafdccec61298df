namespace OciOstree.Repository;

/// <summary>How much of a repository is locked.</summary>
public enum RepoLockKind
{
    /// <summary>Objects may be added and read; nobody deletes any.</summary>
    Shared,

    /// <summary>Nobody else writes: for what deletes objects.</summary>
    Exclusive,
}
