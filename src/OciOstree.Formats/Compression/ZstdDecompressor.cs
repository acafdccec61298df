namespace OciOstree.Formats.Compression;

/// <summary>Decompresses a sequence of zstd frames, passing over skippable ones.</summary>
internal sealed unsafe class ZstdDecompressor(Stream source, bool leaveOpen) : ForwardReadStream
{
    private readonly ZstdDecompressorHandle context = new();
    private readonly byte[] received = GC.AllocateUninitializedArray<byte>(128 * 1024);
    private int start;
    private int end;
    private bool betweenFrames = true;
    private bool mayHoldOutput;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (true)
        {
            if (start == end && !mayHoldOutput)
            {
                start = 0;
                end = 0;
                end = source.Read(received);
                if (end == 0)
                {
                    return betweenFrames ? 0 : throw new CompressionException("zstd: the data is truncated");
                }
            }

            fixed (byte* data = received, room = buffer)
            {
                var input = new ZstdLibrary.Buffer { Data = data, Size = (nuint)end, Position = (nuint)start };
                var output = new ZstdLibrary.Buffer { Data = room, Size = (nuint)buffer.Length };
                nuint left = ZstdLibrary.Check(ZstdLibrary.Decompress(context, &output, &input));
                start = (int)input.Position;
                betweenFrames = left == 0;
                // A full output buffer may leave bytes inside the decoder even when all input is taken.
                mayHoldOutput = left != 0 && output.Position == output.Size;
                if (output.Position > 0)
                {
                    return (int)output.Position;
                }
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            context.Dispose();
            if (!leaveOpen)
            {
                source.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
