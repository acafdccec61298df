namespace OciOstree.Repository;

/// <summary>A new file and how it is to be described.</summary>
/// <param name="From">The file that it is described by, if any.</param>
/// <param name="Matches">The pieces of it that are the same there; null if it is patched.</param>
internal readonly record struct PlannedFile(Checksum Checksum, Checksum? From, IReadOnlyList<ChunkMatch>? Matches);
