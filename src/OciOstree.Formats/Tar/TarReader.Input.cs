namespace OciOstree.Formats.Tar;

public sealed partial class TarReader
{
    /// <summary>The next 512 bytes, valid until the next read. Empty at the end of the stream.</summary>
    private ReadOnlySpan<byte> ReadBlock()
    {
        while (_end - _start < TarFormat.BlockSize)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            int read = _source.Read(_buffer.AsSpan(_end));
            if (read == 0)
            {
                if (_end > 0)
                {
                    throw new TarException("the archive is truncated within a block");
                }

                return default;
            }

            _end += read;
        }

        ReadOnlySpan<byte> block = _buffer.AsSpan(_start, TarFormat.BlockSize);
        _start += TarFormat.BlockSize;
        _consumed += TarFormat.BlockSize;
        return block;
    }

    /// <summary>Up to destination.Length bytes (which is not empty) of an entry's content.</summary>
    private int ReadBytes(Span<byte> destination)
    {
        if (_start == _end)
        {
            if (destination.Length >= _buffer.Length / 2)
            {
                // Large reads go straight through to the caller's memory.
                int direct = _source.Read(destination);
                _consumed += direct;
                return direct > 0 ? direct : throw new TarException("the archive is truncated within an entry's content");
            }

            Fill();
        }

        int count = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        _consumed += count;
        return count;
    }

    private void Fill()
    {
        _start = 0;
        _end = 0; // in this order: an exception from Read leaves an empty buffer
        int read = _source.Read(_buffer);
        _end = read > 0 ? read : throw new TarException("the archive is truncated within an entry's content");
    }

    private void Skip(long count)
    {
        int buffered = (int)Math.Min(count, _end - _start);
        _start += buffered;
        _consumed += buffered;
        count -= buffered;
        if (count > _buffer.Length && _source.CanSeek)
        {
            if (count > _source.Length - _source.Position)
            {
                throw new TarException("the archive is truncated within an entry's content");
            }

            _source.Seek(count, SeekOrigin.Current);
            _consumed += count;
            return;
        }

        while (count > 0)
        {
            Fill();
            int part = (int)Math.Min(count, _end);
            _start = part;
            _consumed += part;
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
