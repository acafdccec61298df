namespace OciOstree.Repository;

/// <summary>An object that a delta leaves out, to be fetched by itself.</summary>
public readonly record struct DeltaFallback(ObjectName Name, ulong Size, ulong UncompressedSize);
