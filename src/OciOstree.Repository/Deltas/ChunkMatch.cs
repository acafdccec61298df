namespace OciOstree.Repository;

/// <summary>A run of bytes that is in two files, perhaps at different places.</summary>
internal readonly record struct ChunkMatch(long From, int To, int Length);
