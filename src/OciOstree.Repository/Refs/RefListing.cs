namespace OciOstree.Repository;

/// <summary>What a listing of refs leaves out.</summary>
[Flags]
public enum RefListing
{
    All = 0,

    /// <summary>Only refs that are aliases of others.</summary>
    OnlyAliases = 1,

    /// <summary>Nothing that came from a remote.</summary>
    ExcludeRemotes = 2,

    /// <summary>Nothing from <c>refs/mirrors</c>; only matters for collections.</summary>
    ExcludeMirrors = 4,
}
