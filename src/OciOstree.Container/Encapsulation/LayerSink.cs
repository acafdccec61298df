using System.Security.Cryptography;
using OciOstree.Formats.Compression;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>Takes a layer's tar stream: counts and hashes it, and passes it on compressed.</summary>
internal sealed class LayerSink : CompressingStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Stream _compressor;

    internal LayerSink(Stream destination, EncapsulateOptions options)
        => _compressor = Compressor.Open(destination, options.Compression, options.CompressionLevel);

    internal long Size { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _hash.AppendData(buffer);
        _compressor.Write(buffer);
        Size += buffer.Length;
    }

    /// <summary>Completes the compressed data; the digest is that of what was written here.</summary>
    internal Digest Finish()
    {
        _compressor.Dispose();
        return Digest.FromSha256(_hash.GetHashAndReset());
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _compressor.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
