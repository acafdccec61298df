namespace OciOstree.Formats.Compression;

/// <summary>
/// Compresses to zstd. One frame, unless <see cref="EndFrame"/> starts further ones: a frame can be decompressed without those before it.
/// </summary>
public sealed unsafe class ZstdCompressor : CompressingStream
{
    private readonly Stream _destination;
    private readonly ZstdCompressorHandle _context = new();
    private readonly byte[] _output = GC.AllocateUninitializedArray<byte>(128 * 1024);
    private bool _open = true; // an empty stream is an empty frame
    private bool _disposed;

    /// <param name="destination">Gets the compressed bytes and stays open.</param>
    /// <param name="level">1 (fastest) to 19; 0 means 3.</param>
    public ZstdCompressor(Stream destination, int level = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 19);
        _destination = destination;
        ZstdLibrary.Check(ZstdLibrary.SetParameter(_context, ZstdLibrary.ParameterCompressionLevel, level == 0 ? 3 : level));
        ZstdLibrary.Check(ZstdLibrary.SetParameter(_context, ZstdLibrary.ParameterChecksum, 1));
    }

    /// <summary>Ends the current frame, if anything was written to it.</summary>
    public void EndFrame()
    {
        if (_open)
        {
            Run(default, ZstdLibrary.EndFrame);
            _open = false;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!buffer.IsEmpty)
        {
            _open = true;
            Run(buffer, ZstdLibrary.EndContinue);
        }
    }

    public override void Flush()
    {
        Run(default, ZstdLibrary.EndFlush);
        _destination.Flush();
    }

    private void Run(ReadOnlySpan<byte> buffer, int end)
    {
        fixed (byte* data = buffer, room = _output)
        {
            var input = new ZstdLibrary.Buffer { Data = data, Size = (nuint)buffer.Length };
            bool done;
            do
            {
                var output = new ZstdLibrary.Buffer { Data = room, Size = (nuint)_output.Length };
                nuint left = ZstdLibrary.Check(ZstdLibrary.Compress(_context, &output, &input, end));
                if (output.Position > 0)
                {
                    _destination.Write(_output.AsSpan(0, (int)output.Position));
                }

                done = end == ZstdLibrary.EndContinue ? input.Position == input.Size : left == 0;
            }
            while (!done);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            try
            {
                EndFrame();
            }
            finally
            {
                _context.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
