namespace OciOstree.Repository;

/// <summary>An object that a part makes, and of what.</summary>
/// <param name="Mode">The index of a regular file's or link's owner and mode; 0 for metadata.</param>
/// <param name="Xattrs">The index of its xattrs.</param>
/// <param name="Size">The content's length in bytes, or a link's target's, or the metadata's.</param>
internal sealed record DeltaObject(ObjectName Name, int Mode, int Xattrs, long Size, IReadOnlyList<DeltaSegment> Segments);
