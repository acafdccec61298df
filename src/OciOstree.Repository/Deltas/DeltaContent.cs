using OciOstree.Formats;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The bytes of an object that a part makes, put together while they are read.</summary>
internal sealed class DeltaContent(DeltaPart part, DeltaObject made, Repo repo, Func<TemporaryFile> room) : ForwardReadStream
{
    private int index;
    private long done;
    private DeltaSource? source;
    private BinaryPatch? patch;

    public override int Read(Span<byte> buffer)
    {
        for (; index < made.Segments.Count && !buffer.IsEmpty; index++, done = 0, patch = null)
        {
            int read = Read(made.Segments[index], buffer);
            if (read == 0)
                continue;
            done += read;
            return read;
        }
        return 0;
    }

    private int Read(in DeltaSegment segment, Span<byte> buffer)
    {
        if (segment.Kind == DeltaSegmentKind.Patch)
            return (patch ??= new BinaryPatch(new BufferedStream(new PayloadRange(part, segment.Offset, segment.Length), 64 << 10), SourceOf(segment), made.Size)).Read(buffer);
        if (done == segment.Length)
            return 0;
        buffer = buffer[..(int)Math.Min(buffer.Length, segment.Length - done)];
        int read = segment.Kind == DeltaSegmentKind.Payload
            ? part.ReadPayload(buffer, segment.Offset + done)
            : Files.ReadAt(SourceOf(segment).Handle, buffer, segment.Offset + done);
        return read > 0 ? read : throw new RepositoryException($"Unexpected EOF reading object {segment.Source}");
    }

    private DeltaSource SourceOf(in DeltaSegment segment)
    {
        if (source?.Checksum == segment.Source)
            return source;
        source?.Dispose();
        source = null;
        return source = DeltaSource.Open(repo, segment.Source, room);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            source?.Dispose();
        base.Dispose(disposing);
    }

    private sealed class PayloadRange(DeltaPart part, long offset, long length) : ForwardReadStream
    {
        private long done;

        public override int Read(Span<byte> buffer)
        {
            int read = done == length ? 0 : part.ReadPayload(buffer[..(int)Math.Min(buffer.Length, length - done)], offset + done);
            done += read;
            return read;
        }
    }
}
