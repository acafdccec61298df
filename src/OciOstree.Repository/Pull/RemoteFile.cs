namespace OciOstree.Repository;

/// <summary>A small file of a remote, whole.</summary>
/// <param name="Unchanged">The server has nothing newer than what it was asked about; there are no bytes then.</param>
internal readonly record struct RemoteFile(byte[] Bytes, RemoteFileStamp Stamp, bool Unchanged);
