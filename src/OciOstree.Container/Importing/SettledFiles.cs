using System.Buffers.Binary;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The files of a layer whose objects are written, by directory and name. A layer may have millions, and none of them is out of a later entry's reach until the last
/// has come, so they are kept in a file without a name; in memory there are eight bytes of a table for each (and as many that are free).
/// </summary>
internal sealed class SettledFiles(LinuxDirectory temporary) : IDisposable
{
    /// <summary>The longest name that fits, in bytes; file systems have no longer ones.</summary>
    internal const int MaxNameLength = byte.MaxValue;

    /// <summary>What a directory without files has as its last.</summary>
    internal const uint None = 0;

    // A record: the directory's previous one, the directory, the name's length, whether it is a symbolic link, two bytes of nothing, the checksum, the name.
    // Its number is its place in units of eight bytes, so that four bytes reach far; none lies across the border of two pages.
    private const int PreviousAt = 0, DirectoryAt = 4, LengthAt = 8, SymlinkAt = 9, ChecksumAt = 12, NameAt = ChecksumAt + Checksum.Size;
    private const int Unit = 8;
    private const int PageSize = 4096;
    private const int Pages = 64;

    /// <summary>What the table has in the place of a file that was taken away.</summary>
    private const uint Taken = uint.MaxValue;

    // Pages of the file, each in the one place where it may be. Only the one that is being filled is not on disk.
    private readonly byte[] pages = new byte[Pages * PageSize];
    private readonly long[] pageAt = FirstPage();

    // The hash of a directory and a name, and the number of the record; 0 is free.
    private ulong[] table = new ulong[1024];
    private int used;
    private long filling;
    private int end = Unit; // 0 is no record
    private TemporaryFile? file;

    /// <summary>Adds a file that its directory does not have.</summary>
    /// <param name="previous">The directory's last one so far.</param>
    /// <returns>Its last one now.</returns>
    internal uint Add(int directory, uint previous, string name, Checksum checksum, bool isSymlink)
    {
        if ((used + 1L) * 4 > table.Length * 3L)
        {
            Grow();
        }

        Span<byte> record = stackalloc byte[NameAt + MaxNameLength + Unit];
        var length = FileName.Encode(name, record[NameAt..]);
        var size = (NameAt + length + Unit - 1) / Unit * Unit;
        BinaryPrimitives.WriteUInt32LittleEndian(record[PreviousAt..], previous);
        BinaryPrimitives.WriteInt32LittleEndian(record[DirectoryAt..], directory);
        record[LengthAt] = (byte)length;
        record[SymlinkAt] = isSymlink ? (byte)1 : (byte)0;
        checksum.WriteTo(record[ChecksumAt..]);

        var number = Append(record[..size]);
        var hash = HashOf(directory, record.Slice(NameAt, length));
        Place(table, hash, number);
        used++;
        return number;
    }

    /// <summary>Takes a file away; false if the directory has none of that name.</summary>
    internal bool TryTake(int directory, string name, out Checksum checksum, out bool isSymlink)
    {
        (checksum, isSymlink) = (default, false);
        if (FileName.ByteCount(name) is var length && length > MaxNameLength)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[length];
        FileName.Encode(name, bytes);
        var hash = HashOf(directory, bytes);
        for (var place = FirstPlace(table, hash); table[place] != 0; place = (place + 1) & (table.Length - 1))
        {
            if (table[place] >> 32 != hash || (uint)table[place] == Taken)
            {
                continue;
            }

            var record = Read((uint)table[place]);
            if (DirectoryOf(record) == directory && NameOf(record).SequenceEqual(bytes))
            {
                (checksum, isSymlink) = (ChecksumOf(record), record[SymlinkAt] != 0);
                table[place] = (ulong)hash << 32 | Taken;
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds a directory's files to a tree that is being made.</summary>
    /// <param name="last">The directory's last one.</param>
    internal void CopyTo(uint last, DirTreeBuilder tree)
    {
        for (var number = last; number != None;)
        {
            var record = Read(number);
            if (IsThere(number, record))
            {
                tree.AddFile(NameOf(record), ChecksumOf(record));
            }

            number = BinaryPrimitives.ReadUInt32LittleEndian(record[PreviousAt..]);
        }
    }

    public void Dispose() => file?.Dispose();

    private static int DirectoryOf(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[DirectoryAt..]);

    private static Checksum ChecksumOf(ReadOnlySpan<byte> record) => Checksum.FromBytes(record.Slice(ChecksumAt, Checksum.Size));

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> record) => record.Slice(NameAt, record[LengthAt]);

    private bool IsThere(uint number, ReadOnlySpan<byte> record)
    {
        var entry = (ulong)HashOf(DirectoryOf(record), NameOf(record)) << 32 | number;
        for (var place = FirstPlace(table, (uint)(entry >> 32)); table[place] != 0; place = (place + 1) & (table.Length - 1))
        {
            if (table[place] == entry)
            {
                return true;
            }
        }

        return false;
    }

    private uint Append(ReadOnlySpan<byte> record)
    {
        if (end + record.Length > PageSize)
        {
            Flush();
            (filling, end) = (filling + 1, 0);
            TakePlace(filling);
        }

        var number = (filling * PageSize + end) / Unit;
        if (number >= Taken)
        {
            throw new ContainerException("a layer has more files than can be kept");
        }

        record.CopyTo(PageOf(filling)[end..]);
        end += record.Length;
        return (uint)number;
    }

    private ReadOnlySpan<byte> Read(uint number) => PageOf((long)number * Unit / PageSize)[(int)((long)number * Unit % PageSize)..];

    /// <summary>A page, which stays where it is until another is asked for.</summary>
    private Span<byte> PageOf(long page)
    {
        var bytes = pages.AsSpan((int)(page % Pages) * PageSize, PageSize);
        if (pageAt[page % Pages] != page)
        {
            TakePlace(page);
            Fill(bytes, page * PageSize);
        }

        return bytes;
    }

    private void TakePlace(long page)
    {
        if (page % Pages == filling % Pages)
        {
            Flush();
        }

        pageAt[page % Pages] = page;
    }

    private void Fill(Span<byte> bytes, long position)
    {
        for (int count; !bytes.IsEmpty && (count = Files.ReadAt(file!.Handle, bytes, position)) > 0; position += count)
        {
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes the page that is being filled, unless it gave up its place before and was written then.</summary>
    private void Flush()
    {
        if (pageAt[filling % Pages] != filling)
        {
            return;
        }

        file ??= temporary.CreateTemporaryFile();
        Files.WriteAt(file.Handle, pages.AsSpan((int)(filling % Pages) * PageSize, PageSize), filling * PageSize);
    }

    // Seeded anew in every process: whoever makes a layer cannot choose names that meet.
    private static uint HashOf(int directory, ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.Add(directory);
        hash.AddBytes(name);
        return (uint)hash.ToHashCode();
    }

    private static int FirstPlace(ulong[] table, uint hash) => (int)(hash & (uint)(table.Length - 1));

    private static void Place(ulong[] table, uint hash, uint number)
    {
        var place = FirstPlace(table, hash);
        while (table[place] != 0)
        {
            place = (place + 1) & (table.Length - 1);
        }

        table[place] = (ulong)hash << 32 | number;
    }

    private void Grow()
    {
        var larger = new ulong[table.Length * 2];
        used = 0;
        foreach (var entry in table)
        {
            if (entry != 0 && (uint)entry != Taken)
            {
                Place(larger, (uint)(entry >> 32), (uint)entry);
                used++;
            }
        }

        table = larger;
    }

    private static long[] FirstPage()
    {
        var pages = new long[Pages];
        Array.Fill(pages, -1);
        pages[0] = 0;
        return pages;
    }
}
