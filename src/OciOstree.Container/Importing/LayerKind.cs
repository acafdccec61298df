namespace OciOstree.Container;

/// <summary>What a layer of an image holds.</summary>
public enum LayerKind
{
    /// <summary>The ostree layer: the commit, its metadata objects and the content given to no chunk.</summary>
    Commit,

    /// <summary>Content objects of the commit.</summary>
    Chunk,

    /// <summary>An ordinary container layer: a tar of changed files and whiteouts.</summary>
    Derived,
}
