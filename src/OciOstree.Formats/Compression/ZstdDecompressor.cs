namespace OciOstree.Formats.Compression;

/// <summary>Decompresses a sequence of zstd frames, passing over skippable ones.</summary>
internal sealed unsafe class ZstdDecompressor(Stream source, bool leaveOpen) : DecompressingStream
{
    private readonly ZstdDecompressorHandle _context = new();
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(128 * 1024);
    private int _start;
    private int _end;
    private bool _betweenFrames = true;
    private bool _mayHoldOutput;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (true)
        {
            if (_start == _end && !_mayHoldOutput)
            {
                _start = 0;
                _end = 0;
                _end = source.Read(_input);
                if (_end == 0)
                {
                    return _betweenFrames ? 0 : throw new CompressionException("zstd: the data is truncated");
                }
            }

            fixed (byte* data = _input, room = buffer)
            {
                var input = new ZstdLibrary.Buffer { Data = data, Size = (nuint)_end, Position = (nuint)_start };
                var output = new ZstdLibrary.Buffer { Data = room, Size = (nuint)buffer.Length };
                nuint left = ZstdLibrary.Check(ZstdLibrary.Decompress(_context, &output, &input));
                _start = (int)input.Position;
                _betweenFrames = left == 0;
                // A full output buffer may leave bytes inside the decoder even when all input is taken.
                _mayHoldOutput = left != 0 && output.Position == output.Size;
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
            _context.Dispose();
            if (!leaveOpen)
            {
                source.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
