namespace OciOstree.Repository;

/// <summary>How a commit becomes a tar archive.</summary>
public sealed record TarExportOptions
{
    /// <summary>A directory in the commit to export instead of the root.</summary>
    public string? Subpath { get; init; }

    /// <summary>Put before every name as it is (<c>base/</c>).</summary>
    public string PathPrefix { get; init; } = "";

    public bool SkipXattrs { get; init; }
}
