namespace OciOstree.Repository;

/// <summary>What a pull got, or with a dry run would get, by static deltas.</summary>
/// <param name="PartsFetched">How many parts are here; those whose objects all were already count.</param>
/// <param name="Parts">How many parts the deltas have, objects that are fetched by themselves included.</param>
/// <param name="SizeFetched">Of <paramref name="Size"/>, the bytes that are here.</param>
/// <param name="Size">The bytes of all parts as they are sent.</param>
/// <param name="UncompressedSize">The bytes of all objects in them.</param>
public readonly record struct DeltaStats(int PartsFetched, int Parts, ulong SizeFetched, ulong Size, ulong UncompressedSize)
{
    /// <summary>The bytes of files that were made of parts.</summary>
    public long ContentWritten { get; init; }
}
