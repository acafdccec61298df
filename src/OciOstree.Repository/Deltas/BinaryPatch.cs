using System.Buffers.Binary;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Makes a file of another and a patch, piece by piece. The patch is bsdiff's, bare: again and again three numbers (how many bytes
/// are the other file's plus a difference, how many are new, how far to move in the other file afterwards), then those differences and
/// new bytes.
/// </summary>
internal sealed class BinaryPatch(Stream patch, DeltaSource old, long size)
{
    internal const int ControlSize = 24;

    private readonly byte[] control = new byte[ControlSize];
    private byte[] window = [];
    private long left = size, differing, adding, position, move;

    /// <summary>Gives the next bytes; 0 once all of the size are made.</summary>
    /// <exception cref="RepositoryException">The patch is damaged.</exception>
    public int Read(Span<byte> buffer)
    {
        while (left > 0 && !buffer.IsEmpty)
        {
            if (differing > 0)
            {
                int length = Fill(buffer[..(int)Math.Min(buffer.Length, differing)]);
                AddOld(buffer[..length]);
                differing -= length;
                position += length;
                left -= length;
                return length;
            }
            if (adding > 0)
            {
                int length = Fill(buffer[..(int)Math.Min(buffer.Length, adding)]);
                adding -= length;
                left -= length;
                return length;
            }
            Advance();
        }
        return 0;
    }

    private void Advance()
    {
        position += move;
        if (patch.ReadAtLeast(control, ControlSize, throwOnEndOfStream: false) < ControlSize)
            throw Damaged();
        (differing, adding, move) = (Number(0), Number(8), Number(16));
        if (differing < 0 || adding < 0 || differing > left || adding > left - differing || Math.Abs(move) > long.MaxValue / 4)
            throw Damaged();
        // A position that runs away would overflow in the end; nothing is there to be read long before.
        if (Math.Abs(position) > long.MaxValue / 4)
            throw Damaged();
    }

    // Sign and magnitude, little-endian.
    private long Number(int at)
    {
        long bits = BinaryPrimitives.ReadInt64LittleEndian(control.AsSpan(at));
        return bits >= 0 ? bits : -(bits & long.MaxValue);
    }

    private int Fill(Span<byte> buffer)
    {
        int read = patch.Read(buffer);
        return read > 0 ? read : throw Damaged();
    }

    // Beyond its ends the other file is all zeroes.
    private void AddOld(Span<byte> differences)
    {
        long from = Math.Max(position, 0), to = Math.Min(position + differences.Length, old.Size);
        if (from >= to)
            return;
        int length = (int)(to - from);
        if (window.Length < length)
            window = new byte[Math.Max(length, 64 << 10)];
        for (int filled = 0, read; filled < length; filled += read)
            if ((read = Files.ReadAt(old.Handle, window.AsSpan(filled, length - filled), from + filled)) == 0)
                throw new RepositoryException($"Unexpected EOF reading object {old.Checksum}");
        Span<byte> target = differences[(int)(from - position)..];
        for (int i = 0; i < length; i++)
            target[i] += window[i];
    }

    private static RepositoryException Damaged() => new("bsdiff patch failed");
}
