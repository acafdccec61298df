namespace OciOstree.Repository;

/// <summary>A commit that was asked for, with the ref that it was asked for by, if it was by one, and the collection of that.</summary>
internal sealed record PullTarget(Checksum Commit, string? Collection, string? Ref);
