using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OciOstree.Formats.Verity;

/// <summary>
/// The digest that the kernel's fs-verity gives a file (Linux' Documentation/filesystems/fsverity.rst): a Merkle tree of SHA-256 over blocks of
/// 4096 bytes, its root in a descriptor, the descriptor's SHA-256. Bytes go in as they come; memory is a block a level.
/// </summary>
public sealed class VerityDigest : IDisposable
{
    /// <summary>Bytes of the digest.</summary>
    public const int Size = 32;

    private const int BlockSize = 4096, DescriptorSize = 256;

    private readonly List<Level> levels = [new Level()];
    private long length;

    /// <summary>Takes the next bytes of the content.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        length += content.Length;
        // A block is given on only when more follows: the last one of the topmost level is the root.
        Level first = levels[0];
        while (content.Length > 0)
        {
            if (first.Filled == BlockSize)
                PassOn(0, first.Block.AsSpan(0, BlockSize));
            if (first.Filled == 0 && content.Length > BlockSize)
            {
                PassOn(0, content[..BlockSize]);   // no copy of what is whole
                content = content[BlockSize..];
                continue;
            }
            int part = Math.Min(BlockSize - first.Filled, content.Length);
            content[..part].CopyTo(first.Block.AsSpan(first.Filled));
            first.Filled += part;
            content = content[part..];
        }
    }

    /// <summary>The digest of all that was appended; nothing can be appended after.</summary>
    public byte[] Finish()
    {
        // u8 version, u8 algorithm, u8 log2 of the block size, u8 salt size, u32 0, u64 length, the root in 64 bytes, salt, zeros
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        descriptor.Clear();
        descriptor[0] = 1;
        descriptor[1] = 1;
        descriptor[2] = 12;
        BinaryPrimitives.WriteInt64LittleEndian(descriptor[8..], length);
        if (length > 0)   // an empty file has no tree: its root is zeros
        {
            for (int i = 0; i < levels.Count; i++)
            {
                levels[i].Block.AsSpan(levels[i].Filled, BlockSize - levels[i].Filled).Clear();
                if (i + 1 < levels.Count)
                    PassOn(i, levels[i].Block.AsSpan(0, BlockSize));
                else
                    SHA256.HashData(levels[i].Block.AsSpan(0, BlockSize), descriptor[16..]);
            }
        }
        return SHA256.HashData(descriptor);
    }

    /// <summary>The digest of a whole content.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> content)
    {
        using VerityDigest digest = new();
        digest.Append(content);
        return digest.Finish();
    }

    /// <summary>The digest of what a stream has from here to its end.</summary>
    public static byte[] Compute(Stream content, CancellationToken cancellation = default)
    {
        using VerityDigest digest = new();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            for (int read; (read = content.Read(buffer, 0, 128 << 10)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                digest.Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return digest.Finish();
    }

    public void Dispose()
    {
        foreach (Level level in levels)
            ArrayPool<byte>.Shared.Return(level.Block);
        levels.Clear();
    }

    private void PassOn(int from, ReadOnlySpan<byte> block)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(block, hash);
        levels[from].Filled = 0;
        if (levels.Count == from + 1)
            levels.Add(new Level());
        Level above = levels[from + 1];
        if (above.Filled == BlockSize)
            PassOn(from + 1, above.Block.AsSpan(0, BlockSize));
        hash.CopyTo(above.Block.AsSpan(above.Filled));
        above.Filled += Size;
    }

    private sealed class Level
    {
        public readonly byte[] Block = ArrayPool<byte>.Shared.Rent(BlockSize);

        public int Filled;
    }
}
