using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The files of a remote that is a repository on this machine.</summary>
internal sealed class RemoteDirectory(Repo repo) : RemoteAccess
{
    private long read;

    public Repo Repo => repo;

    public override long BytesTransferred => Interlocked.Read(ref read);

    public override RemoteFile? TryFetch(string path, long limit, RemoteFileStamp? known = null)
    {
        try
        {
            if (repo.Root.TryReadAllBytes(path, limit) is not { } bytes)
                return null;
            Interlocked.Add(ref read, bytes.Length);
            return new RemoteFile(bytes, default, false);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"While fetching {Describe(path)}", e);
        }
    }

    public override bool TryFetchFile(string path, long limit, Func<TemporaryFile> room, Action<SafeFileHandle> use)
    {
        using SafeFileHandle? file = Open(path);
        if (file is null)
            return false;
        long size = Files.Status(file).Size;
        if (size > limit)
            throw new RepositoryException($"{Describe(path)} exceeded maximum of {limit} bytes");
        Interlocked.Add(ref read, size);
        use(file);
        return true;
    }

    private SafeFileHandle? Open(string path)
    {
        try
        {
            return repo.Root.TryOpenFile(path, OpenFlags.ReadOnly);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"While fetching {Describe(path)}", e);
        }
    }

    public override string Describe(string path) => $"file://{Path.GetFullPath(repo.Path).TrimEnd('/')}/{path}";

    public override void Dispose() => repo.Dispose();
}
