using System.Text;

namespace OciOstree.Formats.Tar;

/// <summary>
/// Writes a tar stream; the same calls give the same bytes. Headers are in the form that ostree-ext's images have: GNU magic, GNU long names
/// (types <c>L</c> and <c>K</c>), a PAX header only before an entry with xattrs, numbers that do not fit as octal in base 256.
/// Output is collected in 128 KiB: nothing is complete before <see cref="Finish"/>.
/// </summary>
public sealed class TarWriter
{
    private readonly Stream destination;
    private readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(128 * 1024);
    private readonly byte[] template = new byte[TarFormat.BlockSize];
    private int used;

    /// <summary>Writes to the stream from its current position. The stream is not closed.</summary>
    public TarWriter(Stream destination) => this.destination = destination;

    /// <summary>
    /// Whether a header also has the first 100 bytes of a longer link's name, as GNU tar's have. Layers, as ostree-ext makes them, have only whole
    /// components there, which may be none; libarchive takes a link whose field is empty for one without a target.
    /// </summary>
    public bool FillsLinkField { get; init; }

    /// <summary>Bytes of the archive so far.</summary>
    public long Length { get; private set; }

    /// <summary>Writes an entry without content.</summary>
    public void Write(TarEntry entry)
    {
        Require(entry.Size == 0, entry, "its content was not given");
        WriteHeaders(entry, over: false);
    }

    /// <summary>Writes a file with its content, whose length must be <see cref="TarEntry.Size"/>.</summary>
    public void Write(TarEntry entry, ReadOnlySpan<byte> content)
    {
        Require(entry.Size == content.Length, entry, $"its size is {entry.Size}, its content has {content.Length} bytes");
        WriteHeaders(entry, over: false);
        Append(content);
        AppendZeros(TarFormat.Padding(content.Length));
    }

    /// <summary>Writes a file with <see cref="TarEntry.Size"/> bytes from the stream.</summary>
    /// <exception cref="TarException">The stream ends before that, or goes on.</exception>
    public void Write(TarEntry entry, Stream content)
    {
        WriteHeaders(entry, over: false);
        long left = entry.Size;
        while (left > 0)
        {
            if (used == buffer.Length)
            {
                FlushBuffer();
            }

            // Straight into the output buffer: content is copied once.
            int read = content.Read(buffer.AsSpan(used, (int)Math.Min(left, buffer.Length - used)));
            Require(read > 0, entry, $"its content ends {left} bytes before its size of {entry.Size}");
            used += read;
            Length += read;
            left -= read;
        }

        // A stream that verifies what it gives speaks at its end.
        Span<byte> beyond = stackalloc byte[1];
        Require(content.Read(beyond) == 0, entry, $"its content goes on after its size of {entry.Size}");
        AppendZeros(TarFormat.Padding(entry.Size));
    }

    /// <summary>
    /// Writes an entry without content whose header starts as a copy of the last one that <c>Write</c> wrote: a name shorter than that one's
    /// leaves its tail behind the NUL. Readers see no difference; ostree-ext writes each path's hard link this way, so the digest of a layer depends on it.
    /// </summary>
    public void WriteOver(TarEntry entry)
    {
        Require(entry.Size == 0, entry, "its content was not given");
        WriteHeaders(entry, over: true);
    }

    /// <summary>Ends the archive with two blocks of zeros and hands the rest to the stream.</summary>
    public void Finish()
    {
        AppendZeros(2 * TarFormat.BlockSize);
        FlushBuffer();
    }

    private void WriteHeaders(TarEntry entry, bool over)
    {
        Require(entry.Name.Length > 0 && !entry.Name.Contains((byte)0), entry, "not a valid name");
        Require(!entry.LinkName.Contains((byte)0), entry, "not a valid link target");
        Require(entry.Size >= 0 && (entry.Size == 0 || entry.Type == TarEntryType.File), entry, "not a valid size");
        if (entry.Xattrs.Count > 0)
        {
            WritePax(entry.Xattrs);
        }

        Span<byte> header = stackalloc byte[TarFormat.BlockSize];
        header.Clear();
        if (over)
        {
            template.CopyTo(header);
        }

        if (entry.Name.Length > 100)
        {
            WriteLong((byte)'L', entry.Name);
            PutText(header[..100], entry.Name.AsSpan(0, WholeCharacters(entry.Name, 100)));
        }
        else
        {
            PutText(header[..100], entry.Name);
        }

        if (entry.LinkName.Length > 100)
        {
            WriteLong((byte)'K', entry.LinkName);
            PutText(header.Slice(157, 100), entry.LinkName.AsSpan(0, FillsLinkField ? 100 : WholeComponents(entry.LinkName, 100)));
        }
        else if (entry.LinkName.Length > 0)
        {
            PutText(header.Slice(157, 100), entry.LinkName);
        }

        TarFormat.PutNumber(header.Slice(100, 8), entry.Mode);
        TarFormat.PutNumber(header.Slice(108, 8), entry.Uid);
        TarFormat.PutNumber(header.Slice(116, 8), entry.Gid);
        TarFormat.PutNumber(header.Slice(124, 12), entry.Size);
        TarFormat.PutNumber(header.Slice(136, 12), entry.ModifiedSeconds);
        header[156] = entry.Type switch
        {
            TarEntryType.File => (byte)'0',
            TarEntryType.HardLink => (byte)'1',
            TarEntryType.SymbolicLink => (byte)'2',
            TarEntryType.CharacterDevice => (byte)'3',
            TarEntryType.BlockDevice => (byte)'4',
            TarEntryType.Directory => (byte)'5',
            _ => (byte)'6',
        };
        TarFormat.GnuMagic.CopyTo(header[257..]);
        PutName(header.Slice(265, 32), entry.UserName);
        PutName(header.Slice(297, 32), entry.GroupName);
        if (entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
        {
            TarFormat.PutNumber(header.Slice(329, 8), entry.DeviceMajor);
            TarFormat.PutNumber(header.Slice(337, 8), entry.DeviceMinor);
        }

        AppendHeader(header);
        if (!over)
        {
            header.CopyTo(template);
        }
    }

    private void WriteLong(byte type, ReadOnlySpan<byte> name)
    {
        Span<byte> header = stackalloc byte[TarFormat.BlockSize];
        header.Clear();
        "././@LongLink"u8.CopyTo(header);
        TarFormat.PutNumber(header.Slice(100, 8), 0b110_100_100);
        TarFormat.PutNumber(header.Slice(108, 8), 0);
        TarFormat.PutNumber(header.Slice(116, 8), 0);
        TarFormat.PutNumber(header.Slice(124, 12), name.Length + 1);
        TarFormat.PutNumber(header.Slice(136, 12), 0);
        header[156] = type;
        TarFormat.GnuMagic.CopyTo(header[257..]);
        AppendHeader(header);
        Append(name);
        AppendZeros(1 + TarFormat.Padding(name.Length + 1)); // the name has a NUL
    }

    private void WritePax(IReadOnlyList<TarXattr> xattrs)
    {
        int total = 0;
        foreach (TarXattr xattr in xattrs)
        {
            total += RecordLength(xattr);
        }

        Span<byte> header = stackalloc byte[TarFormat.BlockSize];
        header.Clear();
        TarFormat.PutNumber(header.Slice(124, 12), total);
        TarFormat.PutNumber(header.Slice(136, 12), 0);
        header[156] = (byte)'x';
        "ustar\000"u8.CopyTo(header[257..]);
        AppendHeader(header);
        foreach (TarXattr xattr in xattrs)
        {
            Append(Encoding.ASCII.GetBytes($"{RecordLength(xattr)} "));
            Append(XattrKey);
            Append(xattr.Name);
            Append("="u8);
            Append(xattr.Value);
            Append("\n"u8);
        }

        AppendZeros(TarFormat.Padding(total));
    }

    private static ReadOnlySpan<byte> XattrKey => "SCHILY.xattr."u8;

    // The length counts its own digits.
    private static int RecordLength(TarXattr xattr)
    {
        int rest = 3 + XattrKey.Length + xattr.Name.Length + xattr.Value.Length;
        int digits = 1;
        for (int limit = 10; rest + digits >= limit; limit *= 10)
        {
            digits++;
        }

        return rest + digits;
    }

    // A field keeps what stood behind the NUL: see WriteOver.
    private static void PutText(Span<byte> field, ReadOnlySpan<byte> text)
    {
        text.CopyTo(field);
        if (text.Length < field.Length)
        {
            field[text.Length] = 0;
        }
    }

    private static void PutName(Span<byte> field, string? name)
    {
        field.Clear();
        if (name is not null)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            bytes.AsSpan(0, Math.Min(bytes.Length, field.Length - 1)).CopyTo(field);
        }
    }

    /// <summary>How much of a long name goes into the header: no part of a UTF-8 sequence.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> text, int limit)
    {
        int end = limit;
        while (end > 0 && (text[end] & 0xc0) == 0x80)
        {
            end--;
        }

        return end == 0 ? limit : end;
    }

    /// <summary>How much of a long link target goes into the header: whole components.</summary>
    private static int WholeComponents(ReadOnlySpan<byte> path, int limit)
    {
        if (path[limit] == '/')
        {
            return limit; // exactly as many as fit
        }

        return path[..limit].LastIndexOf((byte)'/') + 1;
    }

    private void AppendHeader(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        TarFormat.PutNumber(header.Slice(148, 8), TarFormat.Sum(header));
        Append(header);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (bytes.Length > buffer.Length - used)
        {
            int part = buffer.Length - used;
            bytes[..part].CopyTo(buffer.AsSpan(used));
            used += part;
            bytes = bytes[part..];
            FlushBuffer();
        }

        bytes.CopyTo(buffer.AsSpan(used));
        used += bytes.Length;
    }

    private void AppendZeros(int count)
    {
        Span<byte> zeros = stackalloc byte[TarFormat.BlockSize];
        zeros.Clear();
        for (; count > 0; count -= TarFormat.BlockSize)
        {
            Append(zeros[..Math.Min(count, TarFormat.BlockSize)]);
        }
    }

    private void FlushBuffer()
    {
        destination.Write(buffer.AsSpan(0, used));
        used = 0;
    }

    private static void Require(bool condition, TarEntry entry, string message)
    {
        if (!condition)
        {
            throw new TarException($"{entry}: {message}");
        }
    }
}
