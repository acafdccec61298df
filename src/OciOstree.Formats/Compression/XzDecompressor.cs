namespace OciOstree.Formats.Compression;

/// <summary>Decompresses a sequence of xz streams.</summary>
internal sealed unsafe class XzDecompressor : ForwardReadStream
{
    private readonly Stream source;
    private readonly bool leaveOpen;
    private readonly XzHandle coder = new();
    private readonly byte[] received = GC.AllocateUninitializedArray<byte>(64 << 10);
    private int start;
    private int end;
    private bool sourceEnded;
    private bool ended;

    public XzDecompressor(Stream source, bool leaveOpen)
    {
        (this.source, this.leaveOpen) = (source, leaveOpen);
        XzLibrary.StartDecoding(coder.Stream);
    }

    public override int Read(Span<byte> buffer)
    {
        XzLibrary.Stream* stream = coder.Stream;
        while (!ended && !buffer.IsEmpty)
        {
            if (start == end && !sourceEnded)
            {
                (start, end) = (0, source.Read(received));
                sourceEnded = end == 0;
            }

            fixed (byte* data = received, room = buffer)
            {
                stream->NextIn = data + start;
                stream->AvailableIn = (nuint)(end - start);
                stream->NextOut = room;
                stream->AvailableOut = (nuint)buffer.Length;
                ended = XzLibrary.Check(XzLibrary.Code(stream, sourceEnded ? XzLibrary.Finish : XzLibrary.Run)) == XzLibrary.StreamEnd;
                start = end - (int)stream->AvailableIn;
                int made = buffer.Length - (int)stream->AvailableOut;
                if (made > 0)
                    return made;
            }
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            coder.Dispose();
            if (!leaveOpen)
                source.Dispose();
        }

        base.Dispose(disposing);
    }
}
