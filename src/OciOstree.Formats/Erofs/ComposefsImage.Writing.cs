using System.Buffers.Binary;

namespace OciOstree.Formats.Erofs;

public sealed partial class ComposefsImage
{
    private uint inode;
    private ulong nextBlock;

    /// <summary>Writes the image, or only digests it if the stream is null. Once; nothing can be added after.</summary>
    /// <returns>The image's fs-verity digest, 32 bytes.</returns>
    /// <exception cref="ErofsException">A name is twice in a directory.</exception>
    public byte[] Write(Stream? output)
    {
        LayOut();
        written = true;
        using ImageStream stream = new(output);
        WriteHeader(stream);
        nextBlock = DataStart;
        foreach (ErofsNode node in nodes)
            WriteInode(stream, node);
        stream.Align(SlotSize);
        foreach (int xattr in xattrs.Shared)
            stream.Write(xattrs.Bytes(xattr));
        stream.Align(BlockSize);
        foreach (ErofsNode node in nodes)
            WriteBlocks(stream, node);
        return stream.Finish();
    }

    private void WriteHeader(ImageStream output)
    {
        // composefs' own header: u32 magic, u32 version, u32 flags, u32 version of the rules; then EROFS' superblock
        Span<byte> header = stackalloc byte[SuperBlockAt + SuperBlockSize];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xd078629a);
        header[4] = 1;
        header[8] = xattrs.HasAcl ? (byte)1 : (byte)0;
        Span<byte> super = header[SuperBlockAt..];
        BinaryPrimitives.WriteUInt32LittleEndian(super, 0xE0F5E1E2);
        super[8] = 2 | 4;   // times in inodes, filter of xattrs' names
        super[12] = BlockBits;
        BinaryPrimitives.WriteUInt16LittleEndian(super[14..], (ushort)Root.Nid);
        BinaryPrimitives.WriteUInt64LittleEndian(super[16..], (ulong)nodes.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(super[36..], (uint)(DataStart + dataBlocks));
        BinaryPrimitives.WriteUInt32LittleEndian(super[44..], (uint)(inodesEnd / BlockSize));
        output.Write(header);
    }

    private void WriteInode(ImageStream output, ErofsNode node)
    {
        output.Pad(node.Padding);
        int layout = node.HasContent ? 4 : node.Tail > 0 ? 2 : 0;   // chunks, inline, plain
        int xattrSize = XattrSize(node);
        // Where its blocks begin; and in half of that field a file's chunks, by their size.
        uint place = node.Blocks > 0 ? (uint)nextBlock : 0;
        if (node.HasContent)
            place = place & 0xFFFF0000 | (uint)(ChunkBits(node.Size) - BlockBits);
        nextBlock += node.Blocks;

        Span<byte> bytes = stackalloc byte[ExtendedSize];
        bytes.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(layout << 1 | (node.Compact ? 0 : 1)));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], (ushort)(xattrSize == 0 ? 0 : (xattrSize - XattrHeaderSize) / 4 + 1));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)node.Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], place);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], inode++);
        if (node.Compact)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)node.LinkCount);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], (uint)SizeOf(node));
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[24..], (ushort)node.Uid);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[26..], (ushort)node.Gid);
            output.Write(bytes[..CompactSize]);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], SizeOf(node));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], node.Uid);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[28..], node.Gid);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[44..], node.LinkCount);
            output.Write(bytes);
        }
        if (xattrSize > 0)
            WriteXattrs(output, node);
        if (node.Tail == 0)
            return;
        if (node.HasContent)
            WriteHoles(output, node.Tail / 4);
        else if (node.IsDirectory)
            WriteEntries(output, node, inBlocks: false);
        else
            output.Write(node.Target);
    }

    private void WriteXattrs(ImageStream output, ErofsNode node)
    {
        // u32 filter (a bit set says: no such name), u8 number of shared ones, 7 zeros, u32 places of the shared ones, the others
        Span<byte> header = stackalloc byte[XattrHeaderSize];
        header.Clear();
        uint filter = uint.MaxValue;
        int shared = 0;
        foreach (int xattr in node.Xattrs)
        {
            filter &= ~xattrs.FilterBit(xattr);
            IsByReference(xattr, ref shared);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(header, filter);
        header[4] = (byte)shared;
        output.Write(header);
        shared = 0;
        foreach (int xattr in node.Xattrs)
        {
            if (!IsByReference(xattr, ref shared))
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)((inodesEnd % BlockSize + xattrs.SharedOffset(xattr)) / 4));
            output.Write(header[..4]);
        }
        shared = 0;
        foreach (int xattr in node.Xattrs)
            if (!IsByReference(xattr, ref shared))
                output.Write(xattrs.Bytes(xattr));
    }

    // A chunk without an address reads as zeros.
    private static void WriteHoles(ImageStream output, int count)
    {
        for (int i = 0; i < count; i++)
            output.Write([0xFF, 0xFF, 0xFF, 0xFF]);
    }

    private static void WriteBlocks(ImageStream output, ErofsNode node)
    {
        if (node.Blocks == 0)
            return;
        if (node.IsDirectory)
            WriteEntries(output, node, inBlocks: true);
        else if (node.HasContent)
            WriteHoles(output, BlockSize / 4);
        else
            output.Write(node.Target);
        output.Align(BlockSize);
    }

    // Each block of a directory stands by itself.
    private static void WriteEntries(ImageStream output, ErofsNode directory, bool inBlocks)
    {
        List<(byte[] Name, ErofsNode Node)> entries = Entries(directory);
        int first = 0, size = 0;
        uint block = 0;
        for (int i = 0; i <= entries.Count; i++)
        {
            int entry = i < entries.Count ? DirentSize + entries[i].Name.Length : 0;
            if (i < entries.Count && size + entry <= BlockSize)
            {
                size += entry;
                continue;
            }
            if (block < directory.Blocks == inBlocks)
            {
                WriteEntries(output, entries, first, i);
                if (inBlocks)
                    output.Align(BlockSize);
            }
            block++;
            (first, size) = (i, entry);
        }
    }

    private static void WriteEntries(ImageStream output, List<(byte[] Name, ErofsNode Node)> entries, int from, int to)
    {
        // u64 inode, u16 where the name is, u8 type, u8 0 for each, then the names
        Span<byte> bytes = stackalloc byte[DirentSize];
        int name = DirentSize * (to - from);
        for (int i = from; i < to; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, entries[i].Node.Nid);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)name);
            bytes[10] = entries[i].Node.Type switch
            {
                ErofsNode.Regular => 1,
                ErofsNode.Directory => 2,
                ErofsNode.Character => 3,
                _ => 7,
            };
            bytes[11] = 0;
            output.Write(bytes);
            name += entries[i].Name.Length;
        }
        for (int i = from; i < to; i++)
            output.Write(entries[i].Name);
    }
}
