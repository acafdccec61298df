using System.Security.Cryptography;
using OciOstree.Formats;

namespace OciOstree.Registry;

/// <summary>
/// Passes a blob's bytes on and throws in place of the end if they were not the blob: too few, too many, or of another
/// digest. It never passes on more bytes than described.
/// </summary>
internal sealed class VerifyingStream : ForwardReadStream
{
    private readonly Stream inner;
    private readonly Descriptor descriptor;
    private readonly IncrementalHash hash;
    private readonly Action? onMismatch;
    private long position;
    private bool verified;
    private ITransferItem? observer;

    /// <param name="onMismatch">Called before it throws because the bytes are not the blob's.</param>
    internal VerifyingStream(Stream inner, Descriptor descriptor, Action? onMismatch = null)
    {
        this.onMismatch = onMismatch;
        this.inner = inner;
        this.descriptor = descriptor;
        hash = descriptor.Digest.CreateHash();
    }

    /// <summary>What the bytes are checked against: who reads to the end need not check again.</summary>
    internal Descriptor Descriptor => descriptor;

    /// <summary>Tells of bytes as they pass; without a stream around this one, which would hide that it verifies.</summary>
    internal VerifyingStream Observed(ITransferItem item)
    {
        observer = item;
        return this;
    }

    public override int Read(Span<byte> buffer)
    {
        if (verified || buffer.IsEmpty)
        {
            return 0;
        }

        var read = inner.Read(buffer);
        if (read > descriptor.Size - position)
        {
            throw Mismatch($"blob {descriptor.Digest} is larger than its {descriptor.Size} bytes");
        }

        if (read > 0)
        {
            hash.AppendData(buffer[..read]);
            position += read;
            observer?.Advance(read);
            return read;
        }

        if (position < descriptor.Size)
        {
            throw Mismatch($"blob {descriptor.Digest} ends after {position} of {descriptor.Size} bytes");
        }

        if (!descriptor.Digest.Matches(hash))
        {
            throw Mismatch($"blob {descriptor.Digest} does not have this digest: it is corrupt or not what was asked for");
        }

        verified = true;
        return 0;
    }

    private RegistryException Mismatch(string message)
    {
        onMismatch?.Invoke();
        return new RegistryException(message);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
