using System.Security.Cryptography;
using OciOstree.Linux;

namespace OciOstree.Registry;

/// <summary>A file that a blob is collected in and hashed on the way. It has no name until it is given one, so a crash leaves nothing.</summary>
internal sealed class SpoolFile : IDisposable
{
    private const uint Mode = 0x1A4; // 0644
    private readonly string directory;
    private readonly TemporaryFile file;
    private readonly IncrementalHash? hash;

    private SpoolFile(string directory, TemporaryFile file, bool computeDigest)
    {
        this.directory = directory;
        this.file = file;
        hash = computeDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    }

    internal long Length { get; private set; }

    /// <param name="directory">Where it is created; it can be given a name on the same file system.</param>
    /// <param name="computeDigest">False saves the hashing where the digest is known and verified elsewhere.</param>
    internal static SpoolFile Create(string directory, bool computeDigest = true)
    {
        try
        {
            using var open = LinuxDirectory.Open(directory);
            return new SpoolFile(directory, open.CreateTemporaryFile(Mode), computeDigest);
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"creating a temporary file in {directory}: {LinuxException.Explain(e.Errno)}");
        }
    }

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        hash?.AppendData(bytes);
        try
        {
            Files.WriteAt(file.Handle, bytes, Length);
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing to {directory}: {LinuxException.Explain(e.Errno)}");
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
    internal Stream OpenRead(long offset = 0) => new FileSlice(file.Handle, offset, Length - offset, ownsHandle: false);

    /// <summary>Gives it a name, over whatever had it. It is not flushed: that is done once for all files.</summary>
    internal void NameAs(string path)
    {
        try
        {
            using var target = LinuxDirectory.Open(Path.GetDirectoryName(Path.GetFullPath(path))!);
            file.ReplaceAs(target, Path.GetFileName(path));
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing {path}: {LinuxException.Explain(e.Errno)}");
        }
    }

    public void Dispose()
    {
        file.Dispose();
        hash?.Dispose();
    }
}
