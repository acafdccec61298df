namespace OciOstree.Container;

/// <summary>The three forms that rpm has kept its packages in: SQLite, its own (ndb), and Berkeley DB's hash tables.</summary>
internal static class RpmDatabase
{
    // Headers of the largest packages have a few megabytes.
    private const int MaxHeader = 64 << 20;

    /// <summary>The packages' headers in <c>rpmdb.sqlite</c>.</summary>
    internal static IEnumerable<RpmHeader> ReadSqlite(Stream database, Stream? log)
    {
        foreach (var row in new SqliteFile(database, log).ReadTable("Packages"))
        {
            // hnum, blob
            yield return RpmHeader.Parse(row is [_, byte[] blob, ..] ? blob : throw new PackageDatabaseException("a row of rpm's packages has no header"));
        }
    }

    /// <summary>
    /// The packages' headers in <c>Packages.db</c>: pages of slots (magic, package, offset and length in blocks of 16 bytes), and the blobs that
    /// they point to, each with its own length before it.
    /// </summary>
    internal static IEnumerable<RpmHeader> ReadNdb(Stream database)
    {
        const uint FileMagic = 0x506d7052; // "RpmP"
        const uint SlotMagic = 0x746f6c53; // "Slot"
        const uint BlobMagic = 0x53626c42; // "BlbS"
        const int Block = 16;
        const int SlotPage = 4096;
        var file = new PagedFile(database);
        if (file.ReadUInt32(0, bigEndian: false) != FileMagic)
        {
            throw new PackageDatabaseException("the file is no ndb database of rpm");
        }

        if (file.ReadUInt32(4, bigEndian: false) != 0)
        {
            throw new PackageDatabaseException("the ndb database is of an unknown version");
        }

        var slotEnd = (long)file.ReadUInt32(12, bigEndian: false) * SlotPage;
        if (slotEnd > file.Length)
        {
            throw new PackageDatabaseException("the ndb database ends within its slots");
        }

        // The file's header takes the place of the first two slots.
        for (long slot = 2 * Block; slot < slotEnd; slot += Block)
        {
            if (file.ReadUInt32(slot, bigEndian: false) != SlotMagic)
            {
                throw new PackageDatabaseException("the ndb database has a slot that is none");
            }

            var (package, at) = (file.ReadUInt32(slot + 4, bigEndian: false), (long)file.ReadUInt32(slot + 8, bigEndian: false) * Block);
            if (package == 0 || at == 0)
            {
                continue;
            }

            if (file.ReadUInt32(at, bigEndian: false) != BlobMagic || file.ReadUInt32(at + 4, bigEndian: false) != package)
            {
                throw new PackageDatabaseException($"the header of package {package} is not where the ndb database says");
            }

            yield return RpmHeader.Parse(file.Read(at + Block, Bounded(file.ReadUInt32(at + 12, bigEndian: false))));
        }
    }

    /// <summary>The packages' headers in <c>Packages</c>, a hash table of Berkeley DB, in either byte order.</summary>
    internal static IEnumerable<RpmHeader> ReadBerkeley(Stream database)
    {
        const uint HashMagic = 0x00061561;
        const byte HashPage = 13;
        const byte UnsortedHashPage = 2;
        const int PageHeader = 26;
        const byte Inline = 1;
        const byte Elsewhere = 3;
        var file = new PagedFile(database);
        var bigEndian = file.ReadUInt32(12, bigEndian: true) == HashMagic;
        if (!bigEndian && file.ReadUInt32(12, bigEndian: false) != HashMagic)
        {
            throw new PackageDatabaseException("the file is no hash table of Berkeley DB");
        }

        var pageSize = file.ReadUInt32(20, bigEndian);
        if (pageSize is < 512 or > 65536 || (pageSize & (pageSize - 1)) != 0)
        {
            throw new PackageDatabaseException($"the Berkeley DB claims pages of {pageSize} bytes");
        }

        if (file.Read(24, 1)[0] != 0)
        {
            throw new PackageDatabaseException("the Berkeley DB is encrypted");
        }

        // Every package is on one page of the table's own; to look at all pages is simpler than to follow the buckets.
        for (var number = 1L; (number + 1) * pageSize <= file.Length; number++)
        {
            var page = file.Read(number * pageSize, (int)pageSize);
            if (page[25] is not (HashPage or UnsortedHashPage))
            {
                continue;
            }

            int entries = UInt16(page, 20);
            if (PageHeader + (entries * 2) > pageSize)
            {
                throw new PackageDatabaseException("a page of the Berkeley DB claims too many entries");
            }

            // Keys and values in turn; the items fill the page from its end.
            for (var entry = 1; entry < entries; entry += 2)
            {
                var (key, value) = (Item(page, entry - 1), Item(page, entry));

                // Under the key 0 rpm keeps the next package's number.
                if (key.Length != 5 || key[0] != Inline || key.AsSpan(1).IndexOfAnyExcept((byte)0) < 0 || value.Length == 0)
                {
                    continue;
                }

                yield return RpmHeader.Parse(value[0] switch
                {
                    Inline => value[1..],
                    Elsewhere when value.Length >= 12 => ReadOverflow(UInt32(value, 4), Bounded(UInt32(value, 8))),
                    _ => throw new PackageDatabaseException("a value of the Berkeley DB is of an unknown kind"),
                });
            }
        }

        byte[] Item(byte[] page, int entry)
        {
            int start = UInt16(page, PageHeader + (entry * 2));
            var end = entry == 0 ? page.Length : UInt16(page, PageHeader + ((entry - 1) * 2));
            return start >= PageHeader && start <= end && end <= page.Length ? page[start..end] : throw new PackageDatabaseException("an entry of the Berkeley DB lies outside of its page");
        }

        byte[] ReadOverflow(uint first, int size)
        {
            const byte OverflowPage = 7;
            if (size > file.Length)
            {
                throw new PackageDatabaseException($"a value of the Berkeley DB claims {size} bytes");
            }

            // Each page brings at least one byte, or the chain is broken: a circle ends, too.
            var value = new byte[size];
            var at = 0;
            for (var number = first; at < size;)
            {
                var page = file.Read(number * (long)pageSize, (int)pageSize);
                int count = Math.Min(UInt16(page, 22), size - at);
                if (page[25] != OverflowPage || count == 0 || PageHeader + count > page.Length)
                {
                    throw new PackageDatabaseException("a value of the Berkeley DB is broken off");
                }

                page.AsSpan(PageHeader, count).CopyTo(value.AsSpan(at));
                at += count;
                number = UInt32(page, 16);
            }

            return value;
        }

        int UInt16(byte[] bytes, int at) => bigEndian ? (bytes[at] << 8) | bytes[at + 1] : bytes[at] | (bytes[at + 1] << 8);

        uint UInt32(byte[] bytes, int at) => bigEndian
            ? ((uint)UInt16(bytes, at) << 16) | (uint)UInt16(bytes, at + 2)
            : (uint)UInt16(bytes, at) | ((uint)UInt16(bytes, at + 2) << 16);
    }

    private static int Bounded(uint size) => size <= MaxHeader ? (int)size : throw new PackageDatabaseException($"a package's header claims {size} bytes");
}
