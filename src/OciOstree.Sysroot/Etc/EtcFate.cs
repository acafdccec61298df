namespace OciOstree.Sysroot;

/// <summary>What a merge of <c>/etc</c> does with a path.</summary>
public enum EtcFate
{
    /// <summary>Changed or added here only: it stays.</summary>
    Kept,
    /// <summary>Changed here and, otherwise, in the new tree: it stays as it is here, and the new default is not seen.</summary>
    Conflict,
    /// <summary>Removed here: it stays away.</summary>
    Removed,
    /// <summary>Removed here, and changed in the new tree: it stays away, and the new default is not seen.</summary>
    RemovedConflict,
    /// <summary>Untouched here: the new default replaces the old.</summary>
    Replaced,
    /// <summary>A new default.</summary>
    New,
    /// <summary>Untouched here, and no longer in the new tree.</summary>
    Gone,
    /// <summary>A file here where the new tree has a directory, or the reverse above it: the merge would fail, and so would the deployment.</summary>
    Refused,
    /// <summary>A socket, or a FIFO or device node that was added: it is not carried over.</summary>
    LeftBehind,
}
