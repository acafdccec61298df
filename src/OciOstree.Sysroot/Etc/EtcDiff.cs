namespace OciOstree.Sysroot;

/// <summary>What an administrator did to <c>/etc</c>: paths relative to it, each list in the order of discovery.</summary>
public sealed class EtcDiff
{
    internal List<string> ModifiedPaths { get; } = [];

    internal List<string> RemovedPaths { get; } = [];

    internal List<string> AddedPaths { get; } = [];

    /// <summary>Changed content, mode, owner, extended attributes or type.</summary>
    public IReadOnlyList<string> Modified => ModifiedPaths;

    /// <summary>Gone; of a removed directory only the directory is named.</summary>
    public IReadOnlyList<string> Removed => RemovedPaths;

    /// <summary>New; an added directory is named, and everything in it.</summary>
    public IReadOnlyList<string> Added => AddedPaths;

    /// <summary>Those of the above that are not carried over: sockets, and FIFOs and device nodes that were added.</summary>
    public IReadOnlyList<string> Unsupported => UnsupportedPaths;

    internal List<string> UnsupportedPaths { get; } = [];
}
