namespace OciOstree.Formats.Compression;

/// <summary>Compresses to one xz stream with a CRC64 over its content.</summary>
public sealed unsafe class XzCompressor : CompressingStream
{
    // Smaller dictionaries save no memory worth having.
    private const uint SmallestDictionary = 64 << 10;

    private readonly Stream destination;
    private readonly XzHandle coder = new();
    private readonly byte[] pending = GC.AllocateUninitializedArray<byte>(64 << 10);
    private bool disposed;

    /// <param name="destination">Gets the compressed bytes and stays open.</param>
    /// <param name="level">1 (fastest) to 9; 0 means 6.</param>
    /// <param name="contentSize">How many bytes will be written, if that is known: memory for a larger dictionary is then not taken.</param>
    public XzCompressor(Stream destination, int level = 0, long? contentSize = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9);
        this.destination = destination;
        uint? dictionary = contentSize is { } size ? (uint)Math.Clamp(size, SmallestDictionary, int.MaxValue) : null;
        XzLibrary.StartEncoding(coder.Stream, level == 0 ? 6 : (uint)level, dictionary);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!buffer.IsEmpty)
            Run(buffer, XzLibrary.Run);
    }

    private void Run(ReadOnlySpan<byte> buffer, int action)
    {
        XzLibrary.Stream* stream = coder.Stream;
        fixed (byte* data = buffer, room = pending)
        {
            stream->NextIn = data;
            stream->AvailableIn = (nuint)buffer.Length;
            bool ended;
            do
            {
                stream->NextOut = room;
                stream->AvailableOut = (nuint)pending.Length;
                ended = XzLibrary.Check(XzLibrary.Code(stream, action)) == XzLibrary.StreamEnd;
                int made = pending.Length - (int)stream->AvailableOut;
                if (made > 0)
                    destination.Write(pending.AsSpan(0, made));
            }
            while (action == XzLibrary.Finish ? !ended : stream->AvailableIn > 0);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            try
            {
                Run(default, XzLibrary.Finish);
            }
            finally
            {
                coder.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
