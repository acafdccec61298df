using System.Buffers.Binary;
using System.Text;

namespace OciOstree.Container;

/// <summary>
/// Reads tables of an SQLite 3 database, whole and in order (https://www.sqlite.org/fileformat2.html). What its write-ahead log has committed counts.
/// Writes nothing, takes no lock: for databases in images.
/// </summary>
internal sealed class SqliteFile
{
    private const int HeaderSize = 100;
    private const byte InteriorTable = 0x05;
    private const byte LeafTable = 0x0d;

    // Larger values than any header of a package.
    private const long MaxPayload = 256 << 20;

    // More levels than pages of any size could need.
    private const int MaxDepth = 64;

    private readonly PagedFile file;
    private readonly Dictionary<uint, byte[]> newerPages = [];
    private readonly int pageSize;
    private readonly int usable;

    /// <param name="stream">The database; it can seek.</param>
    /// <param name="log">Its write-ahead log (<c>-wal</c>), if there is one.</param>
    /// <exception cref="PackageDatabaseException">It is no such database.</exception>
    internal SqliteFile(Stream stream, Stream? log = null)
    {
        file = new PagedFile(stream);
        Span<byte> header = stackalloc byte[HeaderSize];
        file.Read(0, header);
        if (!header.StartsWith("SQLite format 3\0"u8))
        {
            throw new PackageDatabaseException("the file is no SQLite 3 database");
        }

        pageSize = BinaryPrimitives.ReadUInt16BigEndian(header[16..]) is var size && size == 1 ? 65536 : size;
        usable = pageSize - header[20];
        if (pageSize < 512 || (pageSize & (pageSize - 1)) != 0 || usable < 480)
        {
            throw new PackageDatabaseException($"the database claims pages of {pageSize} bytes");
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(header[56..]) > 1)
        {
            throw new PackageDatabaseException("the database's text is not UTF-8");
        }

        if (log is { Length: > 0 })
        {
            ReadLog(new PagedFile(log));
        }
    }

    /// <summary>The rows of a table, by row id: null, <see cref="long"/>, <see cref="double"/>, <see cref="string"/> or an array of bytes for each column.</summary>
    /// <exception cref="PackageDatabaseException">There is no such table, or it is damaged.</exception>
    internal IEnumerable<object?[]> ReadTable(string name)
    {
        foreach (var row in ReadTree(1))
        {
            // type, name, tbl_name, rootpage, sql
            if (row is ["table", string found, _, long root, ..] && string.Equals(found, name, StringComparison.OrdinalIgnoreCase))
            {
                return ReadTree(root is > 0 and <= uint.MaxValue ? (uint)root : throw Damaged("its root is no page"));
            }
        }

        throw new PackageDatabaseException($"the database has no table '{name}'");
    }

    private IEnumerable<object?[]> ReadTree(uint root)
    {
        HashSet<uint> seen = [];
        var path = new Stack<(byte[] Page, int Header, int Cell)>();
        path.Push(Open(root, seen));
        while (path.TryPop(out var at))
        {
            var (page, header, cell) = at;
            int cells = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(header + 3));
            if (page[header] == LeafTable)
            {
                for (; cell < cells; cell++)
                {
                    yield return ReadRecord(ReadPayload(page, CellOffset(page, header + 8, cell)));
                }

                continue;
            }

            if (cell > cells)
            {
                continue;
            }

            path.Push((page, header, cell + 1));
            if (path.Count > MaxDepth)
            {
                throw Damaged("its tree is too deep");
            }

            path.Push(Open(BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(cell == cells ? header + 8 : CellOffset(page, header + 12, cell))), seen));
        }
    }

    private (byte[] Page, int Header, int Cell) Open(uint number, HashSet<uint> seen)
    {
        if (!seen.Add(number))
        {
            throw Damaged("its tree leads round in a circle");
        }

        var page = Page(number);
        var header = number == 1 ? HeaderSize : 0;
        return page[header] is InteriorTable or LeafTable ? (page, header, 0) : throw Damaged($"page {number} is none of a table");
    }

    private byte[] Page(uint number)
    {
        if (number == 0)
        {
            throw Damaged("it points to page 0");
        }

        return newerPages.TryGetValue(number, out var newer) ? newer : file.Read((number - 1L) * pageSize, pageSize);
    }

    private int CellOffset(byte[] page, int pointers, int cell)
    {
        var at = pointers + (cell * 2);
        int offset = at + 2 <= usable ? BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(at)) : throw Damaged("a page claims too many cells");
        return offset + 4 <= usable ? offset : throw Damaged("a cell lies outside of its page");
    }

    private byte[] ReadPayload(byte[] page, int offset)
    {
        var cell = page.AsSpan(offset, usable - offset);
        var size = ReadVarint(ref cell);
        ReadVarint(ref cell);
        if (size is < 0 or > MaxPayload || size > file.Length + (newerPages.Count * (long)pageSize))
        {
            throw Damaged($"a row claims {size} bytes");
        }

        var local = (int)size;
        var most = usable - 35;
        if (size > most)
        {
            var least = ((usable - 12) * 32 / 255) - 23;
            var kept = least + (int)((size - least) % (usable - 4));
            local = kept <= most ? kept : least;
        }

        if (local > cell.Length || (local < size && local + 4 > cell.Length))
        {
            throw Damaged("a row lies outside of its page");
        }

        var payload = new byte[size];
        cell[..local].CopyTo(payload);
        if (local == size)
        {
            return payload;
        }

        // Pages of a row's rest hold it to the end, so that a circle ends, too.
        var next = BinaryPrimitives.ReadUInt32BigEndian(cell[local..]);
        for (var at = local; at < payload.Length;)
        {
            var rest = Page(next);
            var count = Math.Min(usable - 4, payload.Length - at);
            rest.AsSpan(4, count).CopyTo(payload.AsSpan(at));
            next = BinaryPrimitives.ReadUInt32BigEndian(rest);
            at += count;
        }

        return payload;
    }

    private static object?[] ReadRecord(ReadOnlySpan<byte> payload)
    {
        var rest = payload;
        var headerSize = ReadVarint(ref rest);
        if (headerSize < payload.Length - rest.Length || headerSize > payload.Length)
        {
            throw Damaged("a row's header is longer than the row");
        }

        var types = payload[(payload.Length - rest.Length)..(int)headerSize];
        var values = payload[(int)headerSize..];
        List<object?> columns = [];
        while (!types.IsEmpty)
        {
            var type = ReadVarint(ref types);
            var size = type switch
            {
                0 or 8 or 9 => 0,
                >= 1 and <= 4 => type,
                5 => 6,
                6 or 7 => 8,
                >= 12 => (type - 12) / 2,
                _ => throw Damaged($"a column has the unknown type {type}"),
            };
            if (size > values.Length)
            {
                throw Damaged("a column lies outside of its row");
            }

            var value = values[..(int)size];
            values = values[(int)size..];
            columns.Add(type switch
            {
                0 => null,
                <= 6 => ReadInteger(value),
                7 => BinaryPrimitives.ReadDoubleBigEndian(value),
                8 => 0L,
                9 => 1L,
                _ when type % 2 == 0 => value.ToArray(),
                _ => Encoding.UTF8.GetString(value),
            });
        }

        return [.. columns];
    }

    private static long ReadInteger(ReadOnlySpan<byte> bytes)
    {
        long value = (sbyte)bytes[0];
        foreach (var next in bytes[1..])
        {
            value = (value << 8) | next;
        }

        return value;
    }

    // Seven bits a byte, the most significant first; a ninth byte has eight.
    private static long ReadVarint(ref Span<byte> bytes)
    {
        ReadOnlySpan<byte> view = bytes;
        var value = ReadVarint(ref view);
        bytes = bytes[(bytes.Length - view.Length)..];
        return value;
    }

    private static long ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        for (var i = 0; i < 9; i++)
        {
            if (i == bytes.Length)
            {
                throw Damaged("a number lies outside of its page");
            }

            if (i == 8)
            {
                value = (value << 8) | bytes[i];
                bytes = bytes[9..];
                return value;
            }

            value = (value << 7) | (uint)(bytes[i] & 0x7f);
            if ((bytes[i] & 0x80) == 0)
            {
                bytes = bytes[(i + 1)..];
                return value;
            }
        }

        throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>
    /// Takes over the pages of the last whole transaction and those before. Frames count as long as their salt is the header's and the running
    /// checksum fits; what follows is of an older log.
    /// </summary>
    private void ReadLog(PagedFile log)
    {
        const int LogHeader = 32;
        const int FrameHeader = 24;
        if (log.Length < LogHeader)
        {
            return;
        }

        var header = log.Read(0, LogHeader);
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if ((magic & ~1u) != 0x377f0682 || BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)) != pageSize)
        {
            return;
        }

        var bigEndian = (magic & 1) != 0;
        var sums = Sum((0, 0), header.AsSpan(0, 24), bigEndian);
        Dictionary<uint, byte[]> pending = [];
        for (long at = LogHeader; at + FrameHeader + pageSize <= log.Length; at += FrameHeader + pageSize)
        {
            var frame = log.Read(at, FrameHeader);
            if (!frame.AsSpan(8, 8).SequenceEqual(header.AsSpan(16, 8)))
            {
                break;
            }

            var page = log.Read(at + FrameHeader, pageSize);
            sums = Sum(Sum(sums, frame.AsSpan(0, 8), bigEndian), page, bigEndian);
            if (BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(16)) != sums.Item1 || BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(20)) != sums.Item2)
            {
                break;
            }

            pending[BinaryPrimitives.ReadUInt32BigEndian(frame)] = page;

            // The last frame of a transaction tells the database's size after it.
            if (BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0)
            {
                foreach (var (number, newer) in pending)
                {
                    newerPages[number] = newer;
                }

                pending.Clear();
            }
        }
    }

    private static (uint, uint) Sum((uint, uint) sums, ReadOnlySpan<byte> bytes, bool bigEndian)
    {
        var (first, second) = sums;
        for (var i = 0; i + 8 <= bytes.Length; i += 8)
        {
            first += Word(bytes[i..], bigEndian) + second;
            second += Word(bytes[(i + 4)..], bigEndian) + first;
        }

        return (first, second);

        static uint Word(ReadOnlySpan<byte> bytes, bool bigEndian) =>
            bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private static PackageDatabaseException Damaged(string how) => new($"the SQLite database is damaged: {how}");
}
