using System.Buffers.Binary;
using System.Numerics;

namespace OciOstree.Formats.Erofs;

/// <summary>The xxHash of 32 bits, by which EROFS filters names of xattrs.</summary>
internal static class XxHash32
{
    private const uint P1 = 2654435761, P2 = 2246822519, P3 = 3266489917, P4 = 668265263, P5 = 374761393;

    public static uint Compute(ReadOnlySpan<byte> data, uint seed)
    {
        unchecked
        {
            uint length = (uint)data.Length, hash = seed + P5;
            if (data.Length >= 16)
            {
                Span<uint> lanes = [seed + P1 + P2, seed + P2, seed, seed - P1];
                for (; data.Length >= 16; data = data[16..])
                    for (int i = 0; i < 4; i++)
                        lanes[i] = BitOperations.RotateLeft(lanes[i] + BinaryPrimitives.ReadUInt32LittleEndian(data[(4 * i)..]) * P2, 13) * P1;
                hash = BitOperations.RotateLeft(lanes[0], 1) + BitOperations.RotateLeft(lanes[1], 7) + BitOperations.RotateLeft(lanes[2], 12) + BitOperations.RotateLeft(lanes[3], 18);
            }
            hash += length;
            for (; data.Length >= 4; data = data[4..])
                hash = BitOperations.RotateLeft(hash + BinaryPrimitives.ReadUInt32LittleEndian(data) * P3, 17) * P4;
            foreach (byte b in data)
                hash = BitOperations.RotateLeft(hash + b * P5, 11) * P1;
            hash = (hash ^ hash >> 15) * P2;
            hash = (hash ^ hash >> 13) * P3;
            return hash ^ hash >> 16;
        }
    }
}
