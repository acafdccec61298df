namespace OciOstree.Repository;

/// <summary>A run of an object's bytes.</summary>
/// <param name="Offset">Where in the payload or the source it, or the patch that it is made by, begins.</param>
/// <param name="Length">Its bytes there; a patch's length is its own, not that of what it makes.</param>
/// <param name="Source">The object that is copied from or patched.</param>
internal readonly record struct DeltaSegment(DeltaSegmentKind Kind, long Offset, long Length, Checksum Source);

internal enum DeltaSegmentKind : byte
{
    Payload,
    Copy,
    Patch,
}
