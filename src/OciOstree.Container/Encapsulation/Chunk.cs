namespace OciOstree.Container;

/// <summary>The content of one layer.</summary>
/// <param name="Name">For people: what the image's history says of the layer.</param>
/// <param name="Components">Names, sorted.</param>
/// <param name="Objects">Sorted by checksum.</param>
public sealed record Chunk(string Name, IReadOnlyList<string> Components, IReadOnlyList<ContentObject> Objects)
{
    /// <summary>Bytes of content.</summary>
    public long Size => Objects.Sum(o => o.Size);
}
