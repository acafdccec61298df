using System.Buffers.Binary;
using System.Text;
using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>
/// Writes a superblock's variant member by member, for with its parts inlined it may be larger than memory: aligned members, then, the
/// last one's first, where those that have no fixed size end. What comes out is what <see cref="Variant.Tuple"/> would make of the same members.
/// </summary>
internal sealed class SuperblockWriter(Stream target)
{
    // Where each member ends whose size is not fixed.
    private readonly List<long> ends = [];
    private long at;

    /// <summary>Writes the first member, an <c>a{sv}</c>, of keys and what writes the boxed value of each.</summary>
    public void WriteMetadata(IEnumerable<(string Key, long Size, Action<Stream> Write)> entries)
    {
        List<long> entryEnds = [];
        foreach ((string key, long size, Action<Stream> write) in entries)
        {
            Align();
            long start = at;
            byte[] name = [.. Encoding.UTF8.GetBytes(key), 0];
            Write(name);
            Align();
            write(target);
            at += size;
            WriteOffsets([name.Length], at - start);
            entryEnds.Add(at);
        }
        WriteOffsets(entryEnds, at);
        ends.Add(at);
    }

    /// <summary>Writes another member.</summary>
    public void Write(Variant member)
    {
        if (member.Type != "ay")
            Align();
        Write(member.Normalize().Data.Span);
        if (member.Type != "t")
            ends.Add(at);
    }

    /// <summary>Writes another member, an <c>ay</c>.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        ends.Add(at);
    }

    /// <summary>To be called after the last member.</summary>
    public void Complete()
    {
        ends.RemoveAt(ends.Count - 1); // its end is where the offsets begin
        ends.Reverse();
        WriteOffsets(ends, at);
    }

    private void WriteOffsets(List<long> offsets, long body)
    {
        int count = offsets.Count, width = body + count <= byte.MaxValue ? 1 : body + 2 * count <= ushort.MaxValue ? 2 : body + 4 * count <= uint.MaxValue ? 4 : 8;
        Span<byte> wide = stackalloc byte[8];
        foreach (long offset in offsets)
        {
            BinaryPrimitives.WriteInt64LittleEndian(wide, offset);
            Write(wide[..width]);
        }
    }

    private void Align() => Write(stackalloc byte[(int)(-at & 7)]);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        target.Write(bytes);
        at += bytes.Length;
    }
}
