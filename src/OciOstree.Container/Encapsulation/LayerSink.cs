using System.Security.Cryptography;
using OciOstree.Formats.Compression;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>Takes a layer's tar stream: counts and hashes it, and passes it on compressed.</summary>
internal sealed class LayerSink : CompressingStream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Stream compressor;

    internal LayerSink(Stream destination, CompressionKind compression, int level) => compressor = Compressor.Open(destination, compression, level);

    internal long Size { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        hash.AppendData(buffer);
        compressor.Write(buffer);
        Size += buffer.Length;
    }

    /// <summary>Completes the compressed data; the digest is that of what was written here.</summary>
    internal Digest Finish()
    {
        compressor.Dispose();
        return Digest.FromSha256(hash.GetHashAndReset());
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            compressor.Dispose();
            hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
