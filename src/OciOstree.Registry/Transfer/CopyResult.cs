namespace OciOstree.Registry;

/// <summary>What a copy did.</summary>
/// <param name="Digest">Of the manifest or index at the destination.</param>
/// <param name="BytesSent">Of blobs that had to be moved.</param>
/// <param name="BytesSkipped">Of blobs that the destination had.</param>
public sealed record CopyResult(Digest Digest, long BytesSent, long BytesSkipped);
