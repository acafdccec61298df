using System.Security.Cryptography;
using OciOstree.Formats;

namespace OciOstree.Repository;

/// <summary>
/// Reads a content object's bytes and believes nothing: the length must be the one that was promised, and where an
/// object's checksum is given the whole must match it before the end is reported.
/// </summary>
internal sealed class ContentStream : ForwardReadStream
{
    private readonly Stream source;
    private readonly ObjectName name;
    private readonly IncrementalHash? hash;
    private long remaining;
    private bool verified, ended;

    public ContentStream(Stream source, Checksum checksum, FileHeader header, long size, bool verify)
    {
        (this.source, name, remaining) = (source, new ObjectName(checksum, ObjectType.File), size);
        if (!verify)
            return;
        hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header.SerializeForChecksum());
    }

    public override int Read(Span<byte> buffer)
    {
        if (ended || buffer.Length == 0)
            return 0;
        int read;
        try
        {
            if (remaining == 0)
            {
                End();
                return 0;
            }
            read = source.Read(buffer[..(int)Math.Min(buffer.Length, remaining)]);
        }
        catch (InvalidDataException e)
        {
            throw new CorruptedObjectException($"Corrupted object {name}: its compressed data is damaged", e);
        }
        if (read == 0)
            throw new CorruptedObjectException($"Corrupted object {name}: {remaining} bytes are missing at its end");
        remaining -= read;
        hash?.AppendData(buffer[..read]);
        // A reader that stops at the size it was told must not miss the verdict.
        if (remaining == 0 && hash is not null)
            Verify();
        return read;
    }

    private void End()
    {
        Span<byte> one = stackalloc byte[1];
        if (source.Read(one) != 0)
            throw new CorruptedObjectException($"Corrupted object {name}: it goes on after its end");
        if (hash is not null)
            Verify();
        ended = true;
    }

    private void Verify()
    {
        if (verified)
            return;
        verified = true;
        Span<byte> digest = stackalloc byte[Checksum.Size];
        hash!.GetHashAndReset(digest);
        Checksum actual = Checksum.FromBytes(digest);
        if (actual != name.Checksum)
            throw Corrupted(name, actual);
    }

    internal static CorruptedObjectException Corrupted(ObjectName name, Checksum actual) =>
        new($"Corrupted {name.Type.Word()} object; checksum expected='{name.Checksum}' actual='{actual}'");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash?.Dispose();
            source.Dispose();
        }
        base.Dispose(disposing);
    }
}
