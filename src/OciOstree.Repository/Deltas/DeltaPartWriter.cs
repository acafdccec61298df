using System.Buffers.Binary;
using OciOstree.Formats.Compression;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A part that is being put together: its payload in a file without a name, the rest in memory.</summary>
internal sealed class DeltaPartWriter(TemporaryFile payload) : IDisposable
{
    // The level that ostree compresses with.
    private const int Level = 8;

    private readonly List<ObjectName> objects = [];
    private readonly Table modes = new(), xattrs = new();
    private readonly MemoryStream operations = new();
    private readonly Stream payloadStream = Files.AsStream(payload.Handle, leaveOpen: true);
    private long payloadSize;

    public int ObjectCount => objects.Count;

    /// <summary>The bytes of all objects.</summary>
    public long UncompressedSize { get; private set; }

    /// <summary>About how long the part is before it is compressed.</summary>
    public long Size => payloadSize + operations.Length + modes.Size + xattrs.Size;

    public void AddMetadata(ObjectName name, ReadOnlySpan<byte> bytes)
    {
        Begin(name, bytes.Length);
        Operation('S', bytes.Length, Append(bytes));
    }

    public void AddSymlink(ObjectName name, FileHeader header)
    {
        Begin(name, 0);
        byte[] target = System.Text.Encoding.UTF8.GetBytes(header.SymlinkTarget);
        Operation('S', Owner(header), Xattrs(header), target.Length, Append(target));
    }

    /// <summary>Adds a regular file whole.</summary>
    public void AddFile(ObjectName name, RepoFile file)
    {
        Begin(name, file.Size);
        Operation('S', Owner(file.Header), Xattrs(file.Header), file.Size, payloadSize);
        file.Content.CopyTo(payloadStream, 128 << 10);
        payloadSize += file.Size;
    }

    /// <summary>Adds a regular file as a patch of another.</summary>
    public void AddPatched(ObjectName name, FileHeader header, long size, Checksum from, Action<Stream> writePatch)
    {
        Begin(name, size);
        Operation('r', Append(from.ToArray()));
        Operation('o', Owner(header), Xattrs(header), size);
        writePatch(payloadStream);
        long end = Files.Status(payload.Handle).Size;
        Operation('B', payloadSize, end - payloadSize);
        payloadSize = end;
        Operation('c');
        Operation('R');
    }

    /// <summary>Adds a regular file as pieces of another, and what lies between them.</summary>
    /// <param name="matches">In the order of the file, not overlapping.</param>
    public void AddPieces(ObjectName name, FileHeader header, ReadOnlySpan<byte> content, Checksum from, IReadOnlyList<ChunkMatch> matches)
    {
        Begin(name, content.Length);
        long source = Append(from.ToArray());
        Operation('o', Owner(header), Xattrs(header), content.Length);
        int done = 0;
        bool copying = false;
        foreach (ChunkMatch match in matches)
        {
            if (match.To > done)
            {
                if (copying)
                    Operation('R');
                copying = false;
                Operation('w', match.To - done, Append(content[done..match.To]));
            }
            if (!copying)
                Operation('r', source);
            copying = true;
            Operation('w', match.Length, match.From);
            done = match.To + match.Length;
        }
        if (copying)
            Operation('R');
        if (done < content.Length)
            Operation('w', content.Length - done, Append(content[done..]));
        Operation('c');
    }

    private void Begin(ObjectName name, long size)
    {
        objects.Add(name);
        UncompressedSize += size;
    }

    private long Owner(FileHeader header) => modes.IndexOf(Variant.Tuple(Big(header.Uid), Big(header.Gid), Big(header.Mode)).Data);

    private long Xattrs(FileHeader header) => xattrs.IndexOf(header.Xattrs.Serialized);

    private static Variant Big(uint number) => Variant.UInt32(BinaryPrimitives.ReverseEndianness(number));

    private long Append(ReadOnlySpan<byte> bytes)
    {
        long at = payloadSize;
        payloadStream.Write(bytes);
        payloadSize += bytes.Length;
        return at;
    }

    private void Operation(char code, params ReadOnlySpan<long> numbers)
    {
        operations.WriteByte((byte)code);
        foreach (long number in numbers)
        {
            ulong rest = (ulong)number;
            for (; rest >= 0x80; rest >>= 7)
                operations.WriteByte((byte)(rest | 0x80));
            operations.WriteByte((byte)rest);
        }
    }

    /// <summary>Compresses the part into a file and gives its header.</summary>
    public DeltaPartHeader Finish(TemporaryFile target)
    {
        ReadOnlyMemory<byte> modeTable = modes.ToVariant("(uuu)").Data, xattrTable = xattrs.ToVariant("a(ayay)").Data;
        long modesEnd = modeTable.Length, xattrsEnd = modesEnd + xattrTable.Length, payloadEnd = xattrsEnd + payloadSize, body = payloadEnd + operations.Length;
        byte[] framing = Frame(body, payloadEnd, xattrsEnd, modesEnd);
        using (Stream file = new BufferedStream(Files.AsStream(target.Handle, leaveOpen: true), 64 << 10))
        {
            file.WriteByte(DeltaPart.Xz);
            using XzCompressor xz = new(file, Level, body + framing.Length);
            xz.Write(modeTable.Span);
            xz.Write(xattrTable.Span);
            new HandleStream(payload.Handle, 0).CopyTo(xz, 128 << 10);
            xz.Write(operations.GetBuffer().AsSpan(0, (int)operations.Length));
            xz.Write(framing);
        }
        return new DeltaPartHeader(0, FileDigest.Of(target.Handle), (ulong)Files.Status(target.Handle).Size, (ulong)UncompressedSize, objects);
    }

    // Where the members end, the last one's end first, in as few bytes each as the whole's length can be written in.
    private static byte[] Frame(long body, params ReadOnlySpan<long> ends)
    {
        int width = body + ends.Length <= byte.MaxValue ? 1 : body + 2 * ends.Length <= ushort.MaxValue ? 2 : body + 4 * ends.Length <= uint.MaxValue ? 4 : 8;
        byte[] framing = new byte[width * ends.Length];
        Span<byte> wide = stackalloc byte[8];
        for (int i = 0; i < ends.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(wide, ends[i]);
            wide[..width].CopyTo(framing.AsSpan(i * width));
        }
        return framing;
    }

    public void Dispose()
    {
        payloadStream.Dispose();
        payload.Dispose();
    }

    /// <summary>Different values in the order of their first use.</summary>
    private sealed class Table
    {
        private readonly Dictionary<string, int> indexes = new(StringComparer.Ordinal);
        private readonly List<ReadOnlyMemory<byte>> values = [];

        public long Size { get; private set; }

        public int IndexOf(ReadOnlyMemory<byte> value)
        {
            string key = System.Text.Encoding.Latin1.GetString(value.Span);
            if (!indexes.TryGetValue(key, out int index))
            {
                indexes.Add(key, index = values.Count);
                values.Add(value);
                Size += value.Length;
            }
            return index;
        }

        public Variant ToVariant(string type) => Variant.Array(type, values.Select(value => Variant.FromBytes(type, value)));
    }
}
