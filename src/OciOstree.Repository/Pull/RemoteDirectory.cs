using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The files of a remote that is a repository on this machine.</summary>
internal sealed class RemoteDirectory(Repo repo) : RemoteAccess
{
    public Repo Repo => repo;

    public override RemoteFile? TryFetch(string path, long limit, RemoteFileStamp? known = null)
    {
        try
        {
            return repo.Root.TryReadAllBytes(path, limit) is { } bytes ? new RemoteFile(bytes, default, false) : null;
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"While fetching {Describe(path)}", e);
        }
    }

    public override string Describe(string path) => $"file://{Path.GetFullPath(repo.Path).TrimEnd('/')}/{path}";

    public override void Dispose() => repo.Dispose();
}
