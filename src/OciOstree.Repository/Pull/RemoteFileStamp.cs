namespace OciOstree.Repository;

/// <summary>How a server tells one version of a file from another; it is asked with it whether there is a newer one.</summary>
/// <param name="ETag">The entity tag as the server sent it, with its quotes; null if it sent none.</param>
/// <param name="LastModified">Seconds since 1970, 0 if unknown.</param>
internal readonly record struct RemoteFileStamp(string? ETag, long LastModified);
