namespace OciOstree.Repository;

/// <summary>What a checkout does about files that are there already; directories that are there are kept in all modes but <see cref="None"/>.</summary>
public enum OverwriteMode
{
    /// <summary>The destination must not exist.</summary>
    None,

    /// <summary>Files of the commit replace them.</summary>
    Union,

    /// <summary>They stay.</summary>
    UnionAdd,

    /// <summary>They must be the same as the commit's.</summary>
    UnionIdentical,
}
