using System.Buffers;
using System.Buffers.Binary;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// An object on its way from a server: in memory while it is small, as most are, then in a nameless file. A broken transfer goes on at <see cref="Length"/>.
/// </summary>
/// <param name="createFile">Makes the file.</param>
/// <param name="limit">The most bytes there may be.</param>
internal sealed class DownloadedObject(Func<TemporaryFile> createFile, long limit) : IDisposable
{
    private const int MaxInMemory = 256 << 10;

    private byte[] memory = [];
    private TemporaryFile? file;

    public long Length { get; private set; }

    /// <exception cref="OversizedException">There are more bytes than there may be.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > limit - Length)
            throw new OversizedException(limit);
        if (file is null && Length + bytes.Length > MaxInMemory)
            Spill();
        if (file is not null)
        {
            Files.WriteAt(file.Handle, bytes, Length);
        }
        else
        {
            if (memory.Length < Length + bytes.Length)
                Grow(Math.Max(Length + bytes.Length, memory.Length * 2));
            bytes.CopyTo(memory.AsSpan((int)Length));
        }
        Length += bytes.Length;
    }

    /// <summary>Makes room for as many more bytes as are announced, if they fit in memory.</summary>
    /// <exception cref="OversizedException">There may not be as many: none of them need come.</exception>
    public void Expect(long length)
    {
        if (length > limit - Length)
            throw new OversizedException(limit);
        if (file is null && Length == 0 && length <= MaxInMemory && memory.Length < length)
            Grow(length);
    }

    // Thousands of objects come and go: their memory is lent, for it would keep the collector busy.
    private void Grow(long length)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(MaxInMemory, length));
        memory.AsSpan(0, (int)Length).CopyTo(larger);
        GiveBack();
        memory = larger;
    }

    private void GiveBack()
    {
        if (memory.Length > 0)
            ArrayPool<byte>.Shared.Return(memory);
        memory = [];
    }

    /// <summary>Forgets what came.</summary>
    public void Restart()
    {
        Length = 0;
        file?.Dispose();
        file = null;
    }

    /// <summary>
    /// An archive's file says at its start how long the content is: what claims more than that, give or take what compression may add, is cut off.
    /// </summary>
    /// <returns>The content's length, null while the start has not come.</returns>
    public long? LimitAsArchived()
    {
        if (Length < 16)
            return null;
        Span<byte> start = stackalloc byte[16];
        ReadAt(start, 0);
        // u32 big-endian header length, four bytes of padding, then the header, which begins with the size as u64 big-endian
        long header = BinaryPrimitives.ReadUInt32BigEndian(start), size = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(start[8..]), 1L << 56);
        limit = Math.Min(limit, 8 + header + size + size / 64 + (64 << 10));
        return size;
    }

    public int ReadAt(Span<byte> target, long at)
    {
        if (file is not null)
            return Files.ReadAt(file.Handle, target, at);
        ReadOnlySpan<byte> rest = memory.AsSpan((int)at, (int)(Length - at));
        int count = Math.Min(rest.Length, target.Length);
        rest[..count].CopyTo(target);
        return count;
    }

    public Stream OpenAt(long at) => file is null ? new MemoryStream(memory, (int)at, (int)(Length - at), writable: false) : new HandleStream(file.Handle, at);

    /// <summary>The whole, while it is small: valid until this is disposed.</summary>
    public ReadOnlySpan<byte> Bytes => file is null ? memory.AsSpan(0, (int)Length) : ToArray();

    /// <summary>The whole in memory, which the caller knows it to fit in.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[Length];
        for (int filled = 0, read; filled < bytes.Length; filled += read)
            read = ReadAt(bytes.AsSpan(filled), filled);
        return bytes;
    }

    /// <summary>The whole as a file.</summary>
    public TemporaryFile ToFile()
    {
        if (file is null)
            Spill();
        return file!;
    }

    private void Spill()
    {
        TemporaryFile made = createFile();
        try
        {
            Files.WriteAt(made.Handle, memory.AsSpan(0, (int)Length), 0);
        }
        catch
        {
            made.Dispose();
            throw;
        }
        file = made;
        GiveBack();
    }

    public void Dispose()
    {
        file?.Dispose();
        GiveBack();
    }
}
