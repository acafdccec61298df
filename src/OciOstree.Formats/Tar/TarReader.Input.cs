namespace OciOstree.Formats.Tar;

public sealed partial class TarReader
{
    /// <summary>The next 512 bytes, valid until the next read. Empty at the end of the stream.</summary>
    private ReadOnlySpan<byte> ReadBlock()
    {
        while (end - start < TarFormat.BlockSize)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                end -= start;
                start = 0;
            }

            int read = source.Read(buffer.AsSpan(end));
            if (read == 0)
            {
                if (end > 0)
                {
                    throw new TarException("the archive is truncated within a block");
                }

                return default;
            }

            end += read;
        }

        ReadOnlySpan<byte> block = buffer.AsSpan(start, TarFormat.BlockSize);
        start += TarFormat.BlockSize;
        consumed += TarFormat.BlockSize;
        return block;
    }

    /// <summary>Up to destination.Length bytes (which is not empty) of an entry's content.</summary>
    private int ReadBytes(Span<byte> destination)
    {
        if (start == end)
        {
            if (destination.Length >= buffer.Length / 2)
            {
                // Large reads go straight through to the caller's memory.
                int direct = source.Read(destination);
                consumed += direct;
                return direct > 0 ? direct : throw new TarException("the archive is truncated within an entry's content");
            }

            Fill();
        }

        int count = Math.Min(destination.Length, end - start);
        buffer.AsSpan(start, count).CopyTo(destination);
        start += count;
        consumed += count;
        return count;
    }

    private void Fill()
    {
        start = 0;
        end = 0; // in this order: an exception from Read leaves an empty buffer
        int read = source.Read(buffer);
        end = read > 0 ? read : throw new TarException("the archive is truncated within an entry's content");
    }

    private void Skip(long count)
    {
        int buffered = (int)Math.Min(count, end - start);
        start += buffered;
        consumed += buffered;
        count -= buffered;
        if (count > buffer.Length && source.CanSeek)
        {
            if (count > source.Length - source.Position)
            {
                throw new TarException("the archive is truncated within an entry's content");
            }

            source.Seek(count, SeekOrigin.Current);
            consumed += count;
            return;
        }

        while (count > 0)
        {
            Fill();
            int part = (int)Math.Min(count, end);
            start = part;
            consumed += part;
            count -= part;
        }
    }

    /// <summary>The content of an extended header. Memory grows with what arrives, not with what the header claims.</summary>
    private byte[] ReadPayload(long size, long limit)
    {
        if (size > limit)
        {
            throw new TarException($"an extended header of {size} bytes is too large");
        }

        byte[] payload = new byte[Math.Min(size, 4096)];
        int have = 0;
        while (have < size)
        {
            if (have == payload.Length)
            {
                Array.Resize(ref payload, (int)Math.Min(size, payload.Length * 4L));
            }

            have += ReadBytes(payload.AsSpan(have));
        }

        Skip(TarFormat.Padding(size));
        return payload;
    }
}
