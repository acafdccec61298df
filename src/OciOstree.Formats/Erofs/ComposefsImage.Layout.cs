using System.Numerics;

namespace OciOstree.Formats.Erofs;

public sealed partial class ComposefsImage
{
    private const int BlockBits = 12, BlockSize = 1 << BlockBits, SlotSize = 32, SuperBlockAt = 1024, SuperBlockSize = 128;
    private const int CompactSize = 32, ExtendedSize = 64, XattrHeaderSize = 12, DirentSize = 12, MaxSharedXattrs = 128;
    private const int MaxChunkBits = BlockBits + 31;

    // The places of a file's chunks fit into a block, four bytes each.
    private const long MaxFileSize = (BlockSize / 4L) << MaxChunkBits;

    private static readonly byte[] Dot = "."u8.ToArray(), DotDot = ".."u8.ToArray();

    private readonly List<ErofsNode> nodes = [];   // breadth first, which is the order of inodes
    private ulong inodesEnd;
    private ulong dataBlocks;

    private ulong DataStart => (inodesEnd + xattrs.SharedSize + BlockSize - 1) / BlockSize;

    private void LayOut()
    {
        HideObjects();
        nodes.Add(Root);
        for (int i = 0; i < nodes.Count; i++)
        {
            ErofsNode node = nodes[i];
            if (!node.IsDirectory)
                continue;
            node.Children.Sort(static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
            node.LinkCount = 2;
            for (int c = 0; c < node.Children.Count; c++)
            {
                ErofsNode child = node.Children[c];
                if (c > 0 && child.Name.AsSpan().SequenceEqual(node.Children[c - 1].Name))
                    throw new ErofsException("A name is twice in a directory");
                if (child.IsDirectory)
                    node.LinkCount++;
                nodes.Add(child);
            }
        }
        xattrs.Share();
        PlaceInodes();
    }

    // The directory of objects, which overlayfs has below the image, has 256 directories of its own; they shall not be seen through the image.
    private void HideObjects()
    {
        HashSet<int> taken = [.. Root.Children.Where(static child => child.Name.Length == 2).Select(static child => child.Name[0] << 8 | child.Name[1])];
        bool labelled = xattrs.TryGet(Root.Xattrs, "security.selinux"u8, out ReadOnlySpan<byte> label);
        byte[] value = label.ToArray();
        ReadOnlySpan<byte> digits = "0123456789abcdef"u8;
        for (int i = 0; i < 256; i++)
        {
            byte high = digits[i >> 4], low = digits[i & 15];
            if (!taken.Contains(high << 8 | low))
                Add(Root, [high, low], ErofsNode.Character | 0x1A4, Root.Uid, Root.Gid, labelled ? [xattrs.Use("security.selinux"u8, value)] : []);
        }
    }

    private void PlaceInodes()
    {
        ulong at = SuperBlockAt + SuperBlockSize;
        foreach (ErofsNode node in nodes)
        {
            MeasureTail(node);
            node.Compact = node.LinkCount <= ushort.MaxValue && node.Uid <= ushort.MaxValue && node.Gid <= ushort.MaxValue && SizeOf(node) <= uint.MaxValue;
            int head = (node.Compact ? CompactSize : ExtendedSize) + XattrSize(node);
            ulong slot = (at + SlotSize - 1) & ~(ulong)(SlotSize - 1);
            ulong start = slot + PaddingFor(node, slot, head);
            node.Padding = (ushort)(start - at);
            node.Nid = start / SlotSize;
            dataBlocks += node.Blocks;
            at = start + (ulong)head + node.Tail;
        }
        inodesEnd = (at + SlotSize - 1) & ~(ulong)(SlotSize - 1);
    }

    // What is in a directory, by name, with the two that every directory has.
    private static List<(byte[] Name, ErofsNode Node)> Entries(ErofsNode directory)
    {
        List<(byte[] Name, ErofsNode Node)> entries = new(directory.Children.Count + 2);
        foreach (ErofsNode child in directory.Children)
            entries.Add((child.Name, child));
        Insert(Dot, directory);
        Insert(DotDot, directory.Parent);
        return entries;

        void Insert(byte[] name, ErofsNode node)
        {
            int at = entries.FindIndex(entry => entry.Name.AsSpan().SequenceCompareTo(name) > 0);
            entries.Insert(at < 0 ? entries.Count : at, (name, node));
        }
    }

    private static void MeasureTail(ErofsNode node)
    {
        switch (node.Type)
        {
            case ErofsNode.Directory:
                int size = 0;
                foreach ((byte[] name, _) in Entries(node))
                {
                    int entry = DirentSize + name.Length;
                    if (size + entry > BlockSize)
                    {
                        node.Blocks++;
                        size = 0;
                    }
                    size += entry;
                }
                // A rest is inline only if it is at most half a block.
                if (size > BlockSize / 2)
                {
                    node.Blocks++;
                    size = 0;
                }
                node.Tail = (ushort)size;
                break;
            case ErofsNode.Link:
                node.Tail = (ushort)node.Target!.Length;
                break;
            case ErofsNode.Regular when node.Size > 0:
                node.Tail = (ushort)(4 * (((node.Size - 1) >> ChunkBits(node.Size)) + 1));
                break;
        }
    }

    // The smallest power of two that holds a file in one chunk, at least a block.
    private static int ChunkBits(long size) => Math.Clamp(BitOperations.Log2((ulong)size - 1) + 1, BlockBits, MaxChunkBits);

    private static ulong SizeOf(ErofsNode node) => node.IsDirectory ? (ulong)node.Blocks * BlockSize + node.Tail : (ulong)node.Size;

    private int XattrSize(ErofsNode node)
    {
        if (node.Xattrs.Length == 0)
            return 0;
        int size = XattrHeaderSize, shared = 0;
        foreach (int xattr in node.Xattrs)
            size += IsByReference(xattr, ref shared) ? 4 : xattrs.Bytes(xattr).Length;
        return size;
    }

    // A node refers to so many shared xattrs as a byte counts with its sign; what is more it has in itself.
    private bool IsByReference(int xattr, ref int count) => xattrs.IsShared(xattr) && count < MaxSharedXattrs && ++count > 0;

    /// <summary>Bytes to leave before an inode so that what is inline after it does not cross into the next block; what cannot be inline gets a block.</summary>
    private static ulong PaddingFor(ErofsNode node, ulong at, int head)
    {
        ulong toBlock = (BlockSize - at % BlockSize) % BlockSize;
        if (node.Type == ErofsNode.Link)
        {
            // A link and its target are kept in one block, and if they are too much for one, the target gets another.
            ulong total = (ulong)head + node.Tail;
            if (total >= BlockSize)
            {
                node.Blocks++;
                node.Tail = 0;
            }
            return at / BlockSize != (at + total - 1) / BlockSize ? toBlock : 0;
        }
        ulong room = BlockSize - (at + (ulong)head) % BlockSize;
        if (room >= node.Tail)
            return 0;
        ulong extra = (room + SlotSize - 1) & ~(ulong)(SlotSize - 1);
        if (node.Tail <= BlockSize - (at + (ulong)head + extra) % BlockSize)
            return extra;
        node.Blocks++;
        node.Tail = 0;
        return toBlock;
    }
}
