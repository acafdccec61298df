using System.Text;

namespace OciOstree.Formats.Tar;

/// <summary>
/// Reads a tar stream entry by entry: ustar, PAX, GNU and old tar; extended attributes as bytes; sparse files expanded.
/// <code>
/// while (reader.Next() is { } entry) { reader.Content.CopyTo(…); }
/// </code>
/// </summary>
public sealed partial class TarReader
{
    // What a path or a set of xattrs can reasonably need; a header beyond it is an attack on memory.
    private const long MaxLongName = 1 << 20;
    private const long MaxExtendedHeader = 16 << 20;

    private readonly Stream source;
    private readonly byte[] buffer;
    private readonly bool allowMissingEnd;
    private readonly ContentStream content;
    private int start;
    private int end;
    private long consumed;
    private bool finished;

    /// <summary>Starts to read at the stream's current position. The stream is not closed.</summary>
    /// <param name="source">An uncompressed tar stream; read ahead in blocks of 64 KiB.</param>
    /// <param name="allowMissingEnd">Accepts a stream that stops after an entry without the end-of-archive blocks, as some writers leave
    /// it. For streams whose completeness is known by other means, such as a digest: otherwise a truncation there goes unnoticed.</param>
    public TarReader(Stream source, bool allowMissingEnd = false)
    {
        this.source = source;
        this.allowMissingEnd = allowMissingEnd;
        buffer = GC.AllocateUninitializedArray<byte>(64 * 1024);
        content = new ContentStream(this);
    }

    /// <summary>
    /// The content of the entry that <see cref="Next"/> returned last, valid until the next call. It ends after <see cref="TarEntry.Size"/> bytes;
    /// its length and position are known. It is one object for all entries.
    /// </summary>
    public Stream Content => content;

    /// <summary>Bytes of the archive consumed so far: at an entry, the offset where its content starts.</summary>
    public long Offset => consumed;

    /// <summary>Goes to the next entry, skipping what is left of the current one. Null at the end of the archive.</summary>
    /// <exception cref="TarException">The stream is not a valid tar, or is truncated.</exception>
    public TarEntry? Next()
    {
        if (finished)
        {
            return null;
        }

        content.SkipRest();
        PaxRecords? records = null;
        byte[]? longName = null;
        byte[]? longLink = null;
        while (true)
        {
            ReadOnlySpan<byte> block = ReadBlock();
            if (block.IsEmpty || TarFormat.IsZero(block))
            {
                bool atEndOfStream = block.IsEmpty;
                if (records is not null || longName is not null || longLink is not null)
                {
                    throw new TarException("the archive ends after an extended header");
                }

                ReadEnd(atEndOfStream);
                content.Clear();
                finished = true;
                return null;
            }

            VerifyChecksum(block);
            byte type = TarFormat.Type(block);
            switch (type)
            {
                case (byte)'x' or (byte)'X':
                    records ??= new PaxRecords();
                    records.Apply(ReadPayload(Number(TarFormat.Size(block), "size"), MaxExtendedHeader));
                    continue;
                case (byte)'L':
                    longName = ReadLongName(block);
                    continue;
                case (byte)'K':
                    longLink = ReadLongName(block);
                    continue;
                case (byte)'g':
                    // Said of all members. Container runtimes and libarchive take no notice, and an archive must mean the same to all.
                    new PaxRecords().Apply(ReadPayload(Number(TarFormat.Size(block), "size"), MaxExtendedHeader));
                    continue;
                case (byte)'V': // a volume's label: no member
                    content.Begin(Number(TarFormat.Size(block), "size"), 0, null);
                    content.SkipRest();
                    continue;
                default:
                    return ReadEntry(block, type, records, longName, longLink);
            }
        }
    }

    private TarEntry ReadEntry(ReadOnlySpan<byte> block, byte type, PaxRecords? records, byte[]? longName, byte[]? longLink)
    {
        var entry = new TarEntry
        {
            Mode = (uint)Number(TarFormat.Mode(block), "mode") & 0xfff,
            Uid = records?.Uid ?? Number(TarFormat.Uid(block), "uid", allowNegative: true),
            Gid = records?.Gid ?? Number(TarFormat.Gid(block), "gid", allowNegative: true),
        };
        if (records?.Modified is { } modified)
        {
            (entry.ModifiedSeconds, entry.ModifiedNanoseconds) = modified;
        }
        else
        {
            entry.ModifiedSeconds = Number(TarFormat.Modified(block), "mtime", allowNegative: true);
        }

        ReadOnlySpan<byte> magic = TarFormat.Magic(block);
        bool hasMagic = magic[..5].SequenceEqual("ustar"u8);
        // Where an archive has a name in two ways, GNU's goes first, as it does for container runtimes.
        entry.Name = records?.SparseName ?? longName ?? records?.Path ?? HeaderName(block, hasMagic && magic[5] == 0);
        entry.LinkName = longLink ?? records?.LinkPath ?? TarFormat.UntilNul(TarFormat.Link(block)).ToArray();
        if (hasMagic)
        {
            entry.UserName = records?.UserName ?? Text(TarFormat.UserName(block));
            entry.GroupName = records?.GroupName ?? Text(TarFormat.GroupName(block));
        }

        if (records?.Xattrs is { } xattrs)
        {
            entry.Xattrs = xattrs;
        }

        long stored = records?.Size ?? Number(TarFormat.Size(block), "size");
        entry.Type = TypeOf(type, entry.Name, out bool hasContent);
        if (entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
        {
            entry.DeviceMajor = records?.DeviceMajor ?? (uint)Number(TarFormat.DeviceMajor(block), "device number");
            entry.DeviceMinor = records?.DeviceMinor ?? (uint)Number(TarFormat.DeviceMinor(block), "device number");
        }

        TrimSlashes(entry);
        if (entry.Type != TarEntryType.File)
        {
            // A size here counts no bytes that follow (a hard link may carry its target's), except that of GNU's directory listings.
            content.Begin(hasContent ? stored : 0, 0, null);
            return entry;
        }

        if (type == (byte)'S')
        {
            long realSize = Number(block.Slice(483, 12), "sparse size");
            List<SparseSegment> map = ReadGnuSparseMap(block);
            content.Begin(stored, realSize, map);
        }
        else if (records is { IsSparse: true })
        {
            BeginPaxSparse(records, stored);
        }
        else
        {
            content.Begin(stored, stored, null);
        }

        entry.Size = content.Length;
        entry.HoleSize = content.Holes;
        return entry;
    }

    private static TarEntryType TypeOf(byte type, byte[] name, out bool hasContent)
    {
        hasContent = false;
        switch (type)
        {
            case 0 or (byte)'0' or (byte)'7' or (byte)'S':
                hasContent = true;
                // Tars older than the directory type mark a directory by its name.
                return name.Length > 0 && name[^1] == '/' ? TarEntryType.Directory : TarEntryType.File;
            case (byte)'1':
                return TarEntryType.HardLink;
            case (byte)'2':
                return TarEntryType.SymbolicLink;
            case (byte)'3':
                return TarEntryType.CharacterDevice;
            case (byte)'4':
                return TarEntryType.BlockDevice;
            case (byte)'5':
                return TarEntryType.Directory;
            case (byte)'6':
                return TarEntryType.Fifo;
            case (byte)'D': // GNU incremental: the content lists the directory
                hasContent = true;
                return TarEntryType.Directory;
            default:
                throw new TarException(type is > 0x20 and < 0x7f
                    ? $"{Encoding.UTF8.GetString(name)}: entry type '{(char)type}' is not supported"
                    : $"{Encoding.UTF8.GetString(name)}: entry type 0x{type:x2} is not supported");
        }
    }

    private static void TrimSlashes(TarEntry entry)
    {
        if (entry.Type == TarEntryType.Directory)
        {
            int end = entry.Name.Length;
            while (end > 1 && entry.Name[end - 1] == '/')
            {
                end--;
            }

            if (end != entry.Name.Length)
            {
                entry.Name = entry.Name[..end];
            }
        }
    }

    private static byte[] HeaderName(ReadOnlySpan<byte> block, bool hasPrefix)
    {
        ReadOnlySpan<byte> name = TarFormat.UntilNul(TarFormat.Name(block));
        if (!hasPrefix)
        {
            return name.ToArray();
        }

        ReadOnlySpan<byte> prefix = TarFormat.Prefix(block);
        if (block[508..].SequenceEqual("tar\0"u8))
        {
            prefix = prefix[..131]; // star keeps times behind a shorter prefix
        }

        prefix = TarFormat.UntilNul(prefix);
        return prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    private static string? Text(ReadOnlySpan<byte> field)
    {
        field = TarFormat.UntilNul(field);
        return field.IsEmpty ? null : field.SequenceEqual("root"u8) ? "root" : Encoding.UTF8.GetString(field);
    }

    private static void VerifyChecksum(ReadOnlySpan<byte> block)
    {
        if (!TarFormat.TryParseNumber(TarFormat.Checksum(block), out long claimed)
            || (claimed != TarFormat.Sum(block) && claimed != TarFormat.SignedSum(block)))
        {
            throw new TarException("a header has a wrong checksum: not a tar archive, or a damaged one");
        }
    }

    private static long Number(ReadOnlySpan<byte> field, string what, bool allowNegative = false)
    {
        if (!TarFormat.TryParseNumber(field, out long value) || (value < 0 && !allowNegative))
        {
            throw new TarException($"a header's {what} is not a valid number");
        }

        return value;
    }

    private byte[] ReadLongName(ReadOnlySpan<byte> block)
    {
        byte[] payload = ReadPayload(Number(TarFormat.Size(block), "size"), MaxLongName);
        byte[] name = TarFormat.UntilNul(payload).ToArray();
        return name.Length > 0 ? name : throw new TarException("a long name is empty");
    }

    private void ReadEnd(bool atEndOfStream)
    {
        if (atEndOfStream)
        {
            if (!allowMissingEnd)
            {
                throw new TarException("the archive is truncated: it has no end mark");
            }

            return;
        }

        // Two zero blocks end an archive; writers that stop after one are known.
        ReadOnlySpan<byte> second = ReadBlock();
        if (!second.IsEmpty && !TarFormat.IsZero(second))
        {
            throw new TarException("a lone block of zeros stands before a header");
        }
    }
}
