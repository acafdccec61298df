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
        int busy = 0;
        while (Libc.ioctl(file, enable, &argument) != 0)
        {
            switch (Libc.LastError)
            {
                case Errno.EEXIST:
                    return true;
                // A program that another thread is just starting holds all descriptors of this process until it runs, closed ones too.
                case Errno.ETXTBSY when busy++ < 100:
                    Thread.Sleep(1);
                    continue;
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
