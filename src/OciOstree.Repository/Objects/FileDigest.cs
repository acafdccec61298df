using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The SHA-256 of a whole file, and of what may be said before it.</summary>
internal static class FileDigest
{
    public static Checksum Of(SafeFileHandle file, ReadOnlySpan<byte> before = default)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            long at = 0;
            for (int read; (read = Files.ReadAt(file, buffer, at)) > 0; at += read)
                hash.AppendData(buffer, 0, read);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        Span<byte> digest = stackalloc byte[Checksum.Size];
        hash.GetHashAndReset(digest);
        return Checksum.FromBytes(digest);
    }
}
