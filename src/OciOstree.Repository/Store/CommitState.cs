namespace OciOstree.Repository;

/// <summary>Whether all of a commit's objects are here.</summary>
public enum CommitState
{
    Whole,

    /// <summary>A pull was interrupted, or only a part was asked for.</summary>
    Partial,

    /// <summary>An fsck has deleted damaged objects that belong to it.</summary>
    PartialByFsck,
}
