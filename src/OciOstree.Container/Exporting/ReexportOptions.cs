namespace OciOstree.Container;

/// <summary>How a stored image is exported again.</summary>
public sealed record ReexportOptions
{
    /// <summary>Compress at the fastest level, instead of as the layers came.</summary>
    public bool CompressFast { get; init; }

    /// <summary>Layers made at once; 0 means as many as there are processors.</summary>
    public int Threads { get; init; }
}
