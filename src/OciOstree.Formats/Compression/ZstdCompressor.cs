namespace OciOstree.Formats.Compression;

/// <summary>
/// Compresses to zstd. One frame, unless <see cref="EndFrame"/> starts further ones: a frame can be decompressed without those before it.
/// </summary>
public sealed unsafe class ZstdCompressor : CompressingStream
{
    private readonly Stream destination;
    private readonly ZstdCompressorHandle context = new();
    private readonly byte[] pending = GC.AllocateUninitializedArray<byte>(128 * 1024);
    private bool open = true; // an empty stream is an empty frame
    private bool disposed;

    /// <param name="destination">Gets the compressed bytes and stays open.</param>
    /// <param name="level">1 (fastest) to 19; 0 means 3.</param>
    public ZstdCompressor(Stream destination, int level = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 19);
        this.destination = destination;
        ZstdLibrary.Check(ZstdLibrary.SetParameter(context, ZstdLibrary.ParameterCompressionLevel, level == 0 ? 3 : level));
        ZstdLibrary.Check(ZstdLibrary.SetParameter(context, ZstdLibrary.ParameterChecksum, 1));
    }

    /// <summary>Ends the current frame, if anything was written to it.</summary>
    public void EndFrame()
    {
        if (open)
        {
            Run(default, ZstdLibrary.EndFrame);
            open = false;
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!buffer.IsEmpty)
        {
            open = true;
            Run(buffer, ZstdLibrary.EndContinue);
        }
    }

    public override void Flush()
    {
        Run(default, ZstdLibrary.EndFlush);
        destination.Flush();
    }

    private void Run(ReadOnlySpan<byte> buffer, int end)
    {
        fixed (byte* data = buffer, room = pending)
        {
            var input = new ZstdLibrary.Buffer { Data = data, Size = (nuint)buffer.Length };
            bool done;
            do
            {
                var output = new ZstdLibrary.Buffer { Data = room, Size = (nuint)pending.Length };
                nuint left = ZstdLibrary.Check(ZstdLibrary.Compress(context, &output, &input, end));
                if (output.Position > 0)
                {
                    destination.Write(pending.AsSpan(0, (int)output.Position));
                }

                done = end == ZstdLibrary.EndContinue ? input.Position == input.Size : left == 0;
            }
            while (!done);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            try
            {
                EndFrame();
            }
            finally
            {
                context.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
