namespace OciOstree.Registry;

/// <summary>A manifest's or an index's bytes, its media type and its digest.</summary>
public sealed record RawManifest(ReadOnlyMemory<byte> Bytes, string MediaType, Digest Digest);
