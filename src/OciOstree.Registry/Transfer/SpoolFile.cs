using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Registry;

/// <summary>A file that a blob is collected in and hashed on the way; it is gone when disposed, unless it was given a name.</summary>
internal sealed class SpoolFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly IncrementalHash? hash;
    private string? path;

    private SpoolFile(string path, bool computeDigest)
    {
        this.path = path;
        handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        hash = computeDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    }

    internal long Length { get; private set; }

    /// <param name="directory">Where it is created; it can be renamed to a name on the same file system.</param>
    /// <param name="computeDigest">False saves the hashing where the digest is known and verified elsewhere.</param>
    internal static SpoolFile Create(string directory, bool computeDigest = true)
    {
        try
        {
            return new SpoolFile(Path.Combine(directory, $".oci-ostree-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp"), computeDigest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"creating a temporary file in {directory}: {e.Message}");
        }
    }

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        hash?.AppendData(bytes);
        try
        {
            RandomAccess.Write(handle, bytes, Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"writing {Path.GetDirectoryName(path)}: {e.Message}");
        }

        Length += bytes.Length;
    }

    /// <summary>Ends the hash.</summary>
    internal Digest FinishDigest()
    {
        Span<byte> value = stackalloc byte[SHA256.HashSizeInBytes];
        hash!.GetHashAndReset(value);
        return Digest.FromSha256(value);
    }

    /// <summary>The content from an offset on; independent of other readers.</summary>
    internal Stream OpenRead(long offset = 0) => new FileSlice(handle, offset, Length - offset, ownsHandle: false);

    /// <summary>Flushes it and renames it; it then belongs to whoever asked.</summary>
    internal void MoveTo(string target)
    {
        try
        {
            RandomAccess.FlushToDisk(handle);
            File.Move(path!, target, overwrite: true);
            path = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RegistryException($"writing {target}: {e.Message}");
        }
    }

    public void Dispose()
    {
        handle.Dispose();
        hash?.Dispose();
        if (path is not null)
        {
            File.Delete(path);
            path = null;
        }
    }
}
