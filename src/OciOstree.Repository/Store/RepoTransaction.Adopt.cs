using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    /// <summary>
    /// Makes a file itself an object by moving it, for callers that give it up anyway. That works where files are stored as they are, on the
    /// same file system, and when the file on disk is like the header. Other links to it then share the object's inode: the caller answers for them.
    /// </summary>
    /// <param name="file">The file, open for reading.</param>
    /// <param name="directory">Where it is.</param>
    /// <param name="name">Its name there, gone afterwards unless the object was here already.</param>
    /// <returns>False if it has to be copied with <see cref="WriteFile(FileHeader, SafeFileHandle, long, Checksum?)"/> after all.</returns>
    public bool TryAdoptFile(FileHeader header, SafeFileHandle file, LinuxDirectory directory, string name, out Checksum checksum)
    {
        checksum = default;
        FileStatus status = Files.Status(file, name);
        // What fs-verity is to protect must be nobody's who may still write to it.
        if (Repo.Settings.FsVerity != Tristate.No || status.Device != Repo.Device || !IsAlike(header, file, status))
            return false;
        CheckStorable(header);
        try
        {
            checksum = HashFile(header.SerializeForChecksum(), file, status.Size);
            if (IsKnown(checksum, out _))
                return true;
            if (Repo.Mode == RepoMode.BareUserOnly)
                Files.SetMode(file, header.Mode & 0xFFF, name);
            Files.SetModified(file, 0, path: name);
            bool moved = directory.TryRenameNoReplace(name, StageFor(new ObjectName(checksum, ObjectType.File)), LoosePath.Of(checksum, ObjectType.File, Repo.Mode));
            Interlocked.Increment(ref contentTotal);
            if (!moved)
                return true;
            Repo.Protect(StageFor(new ObjectName(checksum, ObjectType.File)), LoosePath.Of(checksum, ObjectType.File, Repo.Mode));
            Interlocked.Increment(ref contentWritten);
            Interlocked.Add(ref contentBytesWritten, status.Size);
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.EXDEV)
        {
            return false; // another mount of the same file system
        }
        catch (IOException e)
        {
            throw Failed($"Taking over '{name}'", e);
        }
    }

    private bool IsAlike(FileHeader header, SafeFileHandle file, in FileStatus status)
    {
        if (header.IsSymlink || !status.IsRegularFile)
            return false;
        if (Repo.Mode == RepoMode.BareUserOnly)
            return true;
        return Repo.Mode == RepoMode.Bare && status.Mode == header.Mode && status.Uid == header.Uid && status.Gid == header.Gid
            && XattrSet.From(Xattrs.ReadAll(file)).Equals(header.Xattrs);
    }

    private static Checksum HashFile(ReadOnlySpan<byte> start, SafeFileHandle file, long size)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(start);
            Input input = new(file);
            for (long at = 0; at < size;)
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(BufferSize, size - at));
                input.Fill(part, at, size);
                hash.AppendData(part);
                at += part.Length;
            }
            return Finish(hash, null, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
