using System.Buffers;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>One of the two arrays of a dirtree object while it is put together: its elements as they will be, in the order in which they came until they are sorted.</summary>
/// <param name="checksums">How many follow each name: one of a file, two of a directory.</param>
internal sealed class DirTreeEntries(int checksums)
{
    private const int FirstBlock = 4 << 10, Block = 64 << 10;

    // Elements do not move: a list that grew would be there twice for a while.
    private readonly List<byte[]> blocks = [];
    private long[] places = [];
    private int end;
    private long body;
    private bool isSorted = true;

    internal int Count { get; private set; }

    /// <summary>The array's size in bytes.</summary>
    internal long Size => Count == 0 ? 0 : Framing.TotalSize(checked((int)body), Count);

    internal void Clear()
    {
        // One block is enough for nearly every directory, and is kept.
        if (blocks.Count > 1)
            blocks.RemoveRange(0, blocks.Count - 1);
        if (places.Length > FirstBlock)
            places = [];
        (Count, end, body, isSorted) = (0, 0, 0, true);
    }

    internal void Add(ReadOnlySpan<byte> name, Checksum first, Checksum? second)
    {
        Span<byte> element = Allocate(SizeOf(name.Length), out long place);
        name.CopyTo(element);
        element[name.Length] = 0;
        int at = name.Length + 1;
        first.WriteTo(element[at..]);
        second?.WriteTo(element[(at + Checksum.Size)..]);
        // A tuple's offsets stand in reverse order of the children.
        int width = Framing.OffsetSize(element.Length);
        Framing.WriteOffset(element[^width..], width, at);
        if (second is not null)
            Framing.WriteOffset(element[^(2 * width)..], width, at + Checksum.Size);

        if (Count == places.Length)
            Array.Resize(ref places, Math.Max(64, Count * 2));
        isSorted = isSorted && (Count == 0 || NameOf(Count - 1).SequenceCompareTo(name) < 0);
        places[Count++] = place;
        body += element.Length;
    }

    internal void Sort()
    {
        if (isSorted)
            return;
        // A name ends in a NUL, which is less than any other byte: what follows it decides nothing between two names.
        places.AsSpan(0, Count).Sort((a, b) => After(a).SequenceCompareTo(After(b)));
        isSorted = true;
    }

    /// <summary>A name that two elements have; null if there is none.</summary>
    internal string? FindRepeated()
    {
        for (int i = 1; i < Count; i++)
            if (NameOf(i).SequenceEqual(NameOf(i - 1)))
                return FileName.FromBytes(NameOf(i));
        return null;
    }

    internal ReadOnlySpan<byte> NameOf(int index)
    {
        ReadOnlySpan<byte> rest = After(places[index]);
        return rest[..rest.IndexOf((byte)0)];
    }

    internal void Serialize<TState>(ReadOnlySpanAction<byte, TState> write, TState state)
    {
        if (Count == 0)
            return;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Block);
        int filled = 0;
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<byte> element = After(places[i])[..SizeOf(NameOf(i).Length)];
            Put(element);
        }
        int width = Framing.OffsetSize(checked((int)Size)), at = 0;
        Span<byte> offset = stackalloc byte[4];
        for (int i = 0; i < Count; i++)
        {
            at += SizeOf(NameOf(i).Length);
            Framing.WriteOffset(offset, width, at);
            Put(offset[..width]);
        }
        write(buffer.AsSpan(0, filled), state);
        ArrayPool<byte>.Shared.Return(buffer);

        void Put(ReadOnlySpan<byte> bytes)
        {
            if (filled + bytes.Length > buffer.Length)
            {
                write(buffer.AsSpan(0, filled), state);
                filled = 0;
            }
            if (bytes.Length > buffer.Length)
            {
                write(bytes, state);
                return;
            }
            bytes.CopyTo(buffer.AsSpan(filled));
            filled += bytes.Length;
        }
    }

    // (say): name, NUL, 32 bytes, the offset of the name's end.  (sayay): name, NUL, 32, 32, the offsets of the tree's and the name's end.
    private int SizeOf(int name) => Framing.TotalSize(name + 1 + checksums * Checksum.Size, checksums);

    private ReadOnlySpan<byte> After(long place) => blocks[(int)(place >> 32)].AsSpan((int)(uint)place);

    private Span<byte> Allocate(int size, out long place)
    {
        if (blocks.Count == 0 || end + size > blocks[^1].Length)
        {
            blocks.Add(new byte[Math.Max(size, blocks.Count == 0 ? FirstBlock : Block)]);
            end = 0;
        }
        place = (long)(blocks.Count - 1) << 32 | (uint)end;
        end += size;
        return blocks[^1].AsSpan(end - size, size);
    }
}
