using System.Buffers;
using System.Security.Cryptography;
using OciOstree.Linux;

namespace OciOstree.Registry;

/// <summary>A file that a blob is collected in and hashed on the way. It has no name until it is given one, so a crash leaves nothing.</summary>
internal sealed class SpoolFile : IDisposable
{
    private const uint Mode = 0x1A4; // 0644
    private readonly string directory;
    private const int BufferSize = 256 << 10;
    private readonly TemporaryFile file;
    private readonly IncrementalHash? hash;
    private bool taken;

    private SpoolFile(string directory, TemporaryFile file, IncrementalHash? hash)
    {
        this.directory = directory;
        this.file = file;
        this.hash = hash;
    }

    internal long Length { get; private set; }

    /// <param name="directory">Where it is created; it can be given a name on the same file system.</param>
    /// <param name="computeDigest">False saves the hashing where the digest is known and verified elsewhere.</param>
    internal static SpoolFile Create(string directory, bool computeDigest = true)
    {
        try
        {
            using var open = LinuxDirectory.Open(directory);
            return new SpoolFile(directory, open.CreateTemporaryFile(Mode), computeDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null);
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

    /// <summary>Appends a stream to its end.</summary>
    internal void AppendAll(Stream content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = content.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
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

    /// <summary>A part of the content.</summary>
    internal FileSlice OpenRead(long offset, long length) => new(file.Handle, offset, length, ownsHandle: false);

    /// <summary>A stream that appends.</summary>
    internal Stream OpenWrite() => new AppendingStream(this);

    /// <summary>The same file as another object; disposing this one then does nothing.</summary>
    internal SpoolFile Take()
    {
        taken = true;
        return new SpoolFile(directory, file, hash) { Length = Length };
    }

    internal void Flush()
    {
        try
        {
            Files.Sync(file.Handle);
        }
        catch (LinuxException e)
        {
            throw new RegistryException($"writing to {directory}: {LinuxException.Explain(e.Errno)}");
        }
    }

    /// <summary>Flushes it and gives it a name, over whatever had it. Each blob is flushed by its own thread while others still arrive.</summary>
    internal void NameAs(string path)
    {
        Flush();
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
        if (!taken)
        {
            file.Dispose();
            hash?.Dispose();
        }
    }

    private sealed class AppendingStream(SpoolFile spool) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => spool.Length;

        public override long Position
        {
            get => spool.Length;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer) => spool.Append(buffer);

        public override void Write(byte[] buffer, int offset, int count) => spool.Append(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
