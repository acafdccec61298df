using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>fs-verity: the kernel checks every read of a file against a Merkle tree, and the file can never be written again.</summary>
public static unsafe class FsVerity
{
    private const uint Sha256 = 1;

    /// <summary>
    /// Enables fs-verity with SHA-256, blocks of 4096 bytes and no salt (composefs' choice). True also if it was enabled already,
    /// false where kernel or file system cannot. The descriptor must be read-only and no other may be writing (ETXTBSY throws).
    /// </summary>
    public static bool TryEnable(SafeFileHandle file, string? path = null)
    {
        const uint enable = 0x4080_6685;
        var argument = new VerityEnable { Version = 1, HashAlgorithm = Sha256, BlockSize = 4096 };
        while (Libc.ioctl(file, enable, &argument) != 0)
        {
            switch (Libc.LastError)
            {
                case Errno.EEXIST:
                    return true;
                case Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS:
                    return false;
            }
            LinuxDirectory.RetryOrThrow("enable fs-verity on", path);
        }
        return true;
    }

    /// <summary>The file's SHA-256 fs-verity digest, 32 bytes; null if it is not enabled (or with another algorithm).</summary>
    public static byte[]? TryMeasure(SafeFileHandle file, string? path = null)
    {
        const uint measure = 0xC004_6686;
        // struct fsverity_digest: u16 algorithm, u16 size (in: room, out: length), then the digest
        byte* buffer = stackalloc byte[4 + 64];
        ((ushort*)buffer)[1] = 64;
        while (Libc.ioctl(file, measure, buffer) != 0)
        {
            if (Libc.LastError is Errno.ENODATA or Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS)
                return null;
            LinuxDirectory.RetryOrThrow("measure fs-verity of", path);
        }
        ushort algorithm = ((ushort*)buffer)[0], size = ((ushort*)buffer)[1];
        return algorithm == Sha256 && size == 32 ? new ReadOnlySpan<byte>(buffer + 4, 32).ToArray() : null;
    }
}
