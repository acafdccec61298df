using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A content object on its way to disk, in the layout of the repository's mode: nameless until it is complete.</summary>
internal sealed class ContentSink : IDisposable
{
    private readonly RepoTransaction transaction;
    private readonly FileHeader header;
    private readonly TemporaryFile file;
    private readonly RepoMode mode;
    private readonly BufferedHandleStream? archive;
    private readonly DeflateStream? deflate;

    public ContentSink(RepoTransaction transaction, FileHeader header, long size)
    {
        (this.transaction, this.header, mode) = (transaction, header, transaction.Repo.Mode);
        file = transaction.CreateStagedFile();
        try
        {
            if (mode == RepoMode.Archive)
            {
                archive = new BufferedHandleStream(file.Handle);
                archive.Write(header.SerializeForArchive(size));
                // An empty stream is a block of its own, which DeflateStream would leave out.
                if (!header.IsSymlink && size == 0)
                    archive.Write([3, 0]);
                else if (!header.IsSymlink)
                    deflate = new DeflateStream(archive, new ZLibCompressionOptions { CompressionLevel = transaction.Repo.Settings.CompressionLevel }, leaveOpen: true);
            }
            else if (header.IsSymlink)
            {
                // bare-user: the target and a NUL are the content
                Files.Write(file.Handle, [.. Encoding.UTF8.GetBytes(header.SymlinkTarget), 0]);
            }
            else if (size > 1 << 20)
            {
                Files.TryAllocate(file.Handle, size); // fewer extents, and a full disk is known at once
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file whose bytes are the content's; null in an archive.</summary>
    public SafeFileHandle? Plain => mode == RepoMode.Archive ? null : file.Handle;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (deflate is not null)
            deflate.Write(bytes);
        else
            Files.Write(file.Handle, bytes);
    }

    /// <summary>Gives the file its metadata and its name; false if the object has appeared meanwhile.</summary>
    public bool Publish(Checksum checksum)
    {
        deflate?.Dispose();
        archive?.Flush();
        SafeFileHandle handle = file.Handle;
        switch (mode)
        {
            case RepoMode.Bare:
                // Only now that the content is known: a setuid file must never hold somebody else's bytes. The owner first, for chown clears setuid and capabilities.
                Files.SetOwner(handle, header.Uid, header.Gid, "a new object");
                Files.SetMode(handle, header.Mode & 0xFFF);
                foreach (Xattr xattr in header.Xattrs.Items)
                    Xattrs.Set(handle, xattr.Name, xattr.Value);
                break;
            case RepoMode.BareUser:
                Xattrs.Set(handle, Repo.BareUserMetadata, DirMeta.Serialize(header.Uid, header.Gid, header.Mode, header.Xattrs));
                // Readable by the owner come what may, and no bits that would mean something.
                Files.SetMode(handle, header.IsSymlink ? 0x1A4 : header.Mode & 0x1FD | 0x100);
                break;
            case RepoMode.BareUserOnly:
                Files.SetMode(handle, header.Mode & 0xFFF);
                break;
            default:
                Files.SetMode(handle, 0x1A4);
                break;
        }
        // Programs that compare modification times shall find all of a tree equally old.
        if (mode != RepoMode.Archive)
            Files.SetModified(handle, 0);
        if (transaction.Repo.Settings is { PerObjectFsync: true, Fsync: true })
            Files.Sync(handle);
        transaction.Repo.Protect(file);
        return file.TryLinkAs(transaction.StageFor(new ObjectName(checksum, ObjectType.File)), LoosePath.Of(checksum, ObjectType.File, mode));
    }

    public void Dispose()
    {
        deflate?.Dispose();
        archive?.Dispose();
        file.Dispose();
    }
}
