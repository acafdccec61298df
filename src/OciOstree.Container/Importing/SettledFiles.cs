using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The files of a layer whose objects are written, by directory and name: a layer may have millions, and all of them are in memory until its last entry has come.
/// In blocks that never move, some seventy bytes each.
/// </summary>
internal sealed class SettledFiles
{
    /// <summary>The longest name that fits, in bytes; file systems have no longer ones.</summary>
    internal const int MaxNameLength = byte.MaxValue;

    private const int BlockShift = 10, BlockEntries = 1 << BlockShift;
    private const int NameBlock = 32 << 10;

    private readonly List<Entry[]> entries = [];
    private readonly List<byte[]> names = [];

    // Numbers of entries, and one more, by their hash; 0 is free. What was taken away stays in its place.
    private int[] table = new int[1024];
    private int count;
    private int nameEnd = NameBlock;

    /// <summary>Adds a file that its directory does not have.</summary>
    /// <param name="first">The directory's first file so far; negative if none.</param>
    /// <returns>Its first file now.</returns>
    internal int Add(int directory, int first, string name, Checksum checksum, bool isSymlink)
    {
        if (count * 2 >= table.Length)
        {
            Grow();
        }

        if (count == entries.Count << BlockShift)
        {
            entries.Add(new Entry[BlockEntries]);
        }

        if (nameEnd + MaxNameLength > NameBlock)
        {
            names.Add(new byte[NameBlock]);
            nameEnd = 0;
        }

        ref var entry = ref At(count);
        entry.Length = (byte)FileName.Encode(name, names[^1].AsSpan(nameEnd));
        (entry.Block, entry.Start) = (names.Count - 1, (ushort)nameEnd);
        (entry.Directory, entry.Next, entry.IsSymlink, entry.Checksum) = (directory, first, isSymlink, checksum);
        nameEnd += entry.Length;
        table[FreePlace(entry)] = count + 1;
        return count++;
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
        for (var place = PlaceOf(directory, bytes); table[place] > 0; place = (place + 1) & (table.Length - 1))
        {
            ref var entry = ref At(table[place] - 1);
            if (!entry.IsTaken && entry.Directory == directory && NameOf(entry).SequenceEqual(bytes))
            {
                entry.IsTaken = true;
                (checksum, isSymlink) = (entry.Checksum, entry.IsSymlink);
                return true;
            }
        }

        return false;
    }

    internal int Count(int first)
    {
        var files = 0;
        for (var index = first; index >= 0; index = At(index).Next)
        {
            files += At(index).IsTaken ? 0 : 1;
        }

        return files;
    }

    /// <summary>Writes a directory's files into an array and returns how many.</summary>
    internal int CopyTo(int first, Span<DirTreeFile> files)
    {
        var at = 0;
        for (var index = first; index >= 0; index = At(index).Next)
        {
            ref var entry = ref At(index);
            if (!entry.IsTaken)
            {
                files[at++] = new DirTreeFile(FileName.FromBytes(NameOf(entry)), entry.Checksum);
            }
        }

        return at;
    }

    private ref Entry At(int index) => ref entries[index >> BlockShift][index & (BlockEntries - 1)];

    private ReadOnlySpan<byte> NameOf(in Entry entry) => names[entry.Block].AsSpan(entry.Start, entry.Length);

    private int PlaceOf(int directory, ReadOnlySpan<byte> name)
    {
        // Seeded anew in every process: whoever makes a layer cannot choose names that meet.
        var hash = new HashCode();
        hash.Add(directory);
        hash.AddBytes(name);
        return hash.ToHashCode() & (table.Length - 1);
    }

    private int FreePlace(in Entry entry)
    {
        var place = PlaceOf(entry.Directory, NameOf(entry));
        while (table[place] > 0)
        {
            place = (place + 1) & (table.Length - 1);
        }

        return place;
    }

    private void Grow()
    {
        table = new int[table.Length * 2];
        for (var index = 0; index < count; index++)
        {
            if (!At(index).IsTaken)
            {
                table[FreePlace(At(index))] = index + 1;
            }
        }
    }

    private struct Entry
    {
        internal Checksum Checksum;
        internal int Directory;
        internal int Next;
        internal int Block;
        internal ushort Start;
        internal byte Length;
        internal bool IsSymlink;
        internal bool IsTaken;
    }
}
