using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The plain content of an object that is here, to be read at any position. What is read is not verified: what is made of it is.</summary>
internal sealed class DeltaSource : IDisposable
{
    private readonly RepoFile file;
    private readonly TemporaryFile? unpacked;

    private DeltaSource(Checksum checksum, RepoFile file, TemporaryFile? unpacked) => (Checksum, this.file, this.unpacked) = (checksum, file, unpacked);

    public Checksum Checksum { get; }

    public long Size => file.Size;

    public FileHeader Header => file.Header;

    public SafeFileHandle Handle => unpacked?.Handle ?? file.Handle!;

    /// <param name="room">Makes the file that compressed content is unpacked to.</param>
    /// <exception cref="RepositoryException">The object is not here or is no regular file.</exception>
    public static DeltaSource Open(Repo repo, Checksum checksum, Func<TemporaryFile> room)
    {
        RepoFile file = repo.OpenFile(checksum, verify: false);
        TemporaryFile? unpacked = null;
        try
        {
            if (file.Header.IsSymlink)
                throw new RepositoryException($"Object {checksum} is a symbolic link, which nothing can be made of");
            if (file.Handle is null)
            {
                unpacked = room();
                using Stream target = Files.AsStream(unpacked.Handle, leaveOpen: true);
                file.Content.CopyTo(target, 128 << 10);
            }
            return new DeltaSource(checksum, file, unpacked);
        }
        catch
        {
            unpacked?.Dispose();
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        unpacked?.Dispose();
        file.Dispose();
    }
}
