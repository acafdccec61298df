namespace OciOstree.Repository;

/// <summary>What a superblock says of one part.</summary>
/// <param name="Version">0 is the only one there is.</param>
/// <param name="Checksum">The SHA-256 of the part's file.</param>
/// <param name="Size">The file's length in bytes.</param>
/// <param name="UncompressedSize">The bytes of all its objects.</param>
/// <param name="Objects">What it makes, in the order in which it does.</param>
public sealed record DeltaPartHeader(uint Version, Checksum Checksum, ulong Size, ulong UncompressedSize, IReadOnlyList<ObjectName> Objects);
