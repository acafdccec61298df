using System.Buffers.Binary;

namespace OciOstree.Container;

/// <summary>A database file that is read at any place. What lies beyond its end is the database's fault.</summary>
internal sealed class PagedFile(Stream stream)
{
    internal long Length { get; } = stream.Length;

    internal void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset > Length - buffer.Length)
        {
            throw new PackageDatabaseException($"the database ends before byte {offset + buffer.Length}");
        }

        stream.Position = offset;
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw new PackageDatabaseException("the database ends early");
        }
    }

    internal byte[] Read(long offset, int count)
    {
        // Bounded by the file before it is allocated.
        if (count < 0 || offset < 0 || offset > Length - count)
        {
            throw new PackageDatabaseException($"the database ends before byte {offset + count}");
        }

        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    internal uint ReadUInt32(long offset, bool bigEndian)
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(offset, bytes);
        return bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
