using OciOstree.Formats.Verity;

namespace OciOstree.Formats.Erofs;

/// <summary>Counts and digests what is written, and pads.</summary>
internal sealed class ImageStream(Stream? output) : IDisposable
{
    private static readonly byte[] zeros = new byte[4096];

    private readonly VerityDigest digest = new();
    private readonly byte[] buffer = new byte[64 << 10];
    private int filled;

    public long Position { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Position += bytes.Length;
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, buffer.Length - filled);
            bytes[..part].CopyTo(buffer.AsSpan(filled));
            filled += part;
            bytes = bytes[part..];
            if (filled == buffer.Length)
                Flush();
        }
    }

    public void Pad(int count) => Write(zeros.AsSpan(0, count));

    public void Align(int size) => Pad((int)(-Position & (size - 1)));

    /// <summary>The fs-verity digest of all that was written, which ends it.</summary>
    public byte[] Finish()
    {
        Flush();
        return digest.Finish();
    }

    public void Dispose() => digest.Dispose();

    private void Flush()
    {
        digest.Append(buffer.AsSpan(0, filled));
        output?.Write(buffer.AsSpan(0, filled));
        filled = 0;
    }
}
