using System.IO.Compression;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class RepoTransaction
{
    /// <summary>Stores an archive's compressed file that came from elsewhere: as it is in an archive, else unpacked; checked in either case.</summary>
    /// <param name="carry">Told of a file that is not what its checksum says and goes into an archive all the same, as its server is trusted; null refuses it.</param>
    /// <exception cref="CorruptedObjectException">It is not what its checksum says; nothing is stored.</exception>
    internal void WriteArchived(DownloadedObject archived, Checksum checksum, bool bareUserOnlyFiles, Action<CorruptedObjectException>? carry)
    {
        FileHeader header;
        long size, start;
        try
        {
            header = Repo.ReadArchivedHeader(archived.ReadAt, archived.Length, stackalloc byte[1024], out size, out start);
        }
        catch (Exception e) when (e is RepositoryException or FormatException)
        {
            throw new CorruptedObjectException($"Reading object {new ObjectName(checksum, ObjectType.File)}", e);
        }
        if (bareUserOnlyFiles)
            ValidateBareUserOnly(checksum, header);
        using ContentStream content = Repo.OpenArchived(header, size, archived.OpenAt(start), checksum, verify: Repo.Mode == RepoMode.Archive);
        if (Repo.Mode != RepoMode.Archive)
        {
            WriteFile(header, size, content, checksum);
            return;
        }
        try
        {
            try
            {
                content.CopyTo(Stream.Null, BufferSize);
            }
            catch (CorruptedObjectException e) when (carry is not null)
            {
                carry(e);
            }
            long taken = TakeSpace(archived.Length);
            TemporaryFile file = archived.ToFile();
            Files.SetMode(file.Handle, 0x1A4);
            if (Repo.Settings is { PerObjectFsync: true, Fsync: true })
                Files.Sync(file.Handle);
            Repo.Protect(file);
            Interlocked.Increment(ref contentTotal);
            if (file.TryLinkAs(StageFor(new ObjectName(checksum, ObjectType.File)), LoosePath.Of(checksum, ObjectType.File, Repo.Mode)))
            {
                Interlocked.Increment(ref contentWritten);
                Interlocked.Add(ref contentBytesWritten, size);
            }
            else
            {
                space.Return(taken);
            }
        }
        catch (IOException e)
        {
            throw Failed($"Writing object {new ObjectName(checksum, ObjectType.File)}", e);
        }
    }

    /// <summary>Fails if content of a size would not fit any more.</summary>
    internal void RequireSpace(long size) => space.Return(TakeSpace(size));
}
