using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Where the files of a remote are read from: web servers (<see cref="RemoteFetcher"/>) or a directory of this machine (<see cref="RemoteDirectory"/>).</summary>
internal abstract class RemoteAccess : IDisposable
{
    /// <summary>How long a file other than an object and the summary may be.</summary>
    public const int MaxSmallFile = 10 << 20;

    /// <summary>Fetches a small file whole; null if there is none.</summary>
    /// <param name="path">Below the repository, as <c>refs/heads/main</c>.</param>
    /// <param name="limit">The most bytes it may have.</param>
    /// <param name="known">A version that is here already and need not be sent again.</param>
    /// <exception cref="RepositoryException">It cannot be had or is too long; the message names its address.</exception>
    public abstract RemoteFile? TryFetch(string path, long limit, RemoteFileStamp? known = null);

    /// <summary>Fetches a large file and lets it be used while it is open; false if there is none.</summary>
    /// <param name="limit">The most bytes it may have.</param>
    /// <param name="room">Makes a file that it can be kept in for so long.</param>
    /// <exception cref="RepositoryException">It cannot be had or is too long; the message names its address.</exception>
    public abstract bool TryFetchFile(string path, long limit, Func<TemporaryFile> room, Action<SafeFileHandle> use);

    /// <summary>The address that messages name a file by.</summary>
    public abstract string Describe(string path);

    /// <summary>How many bytes came over the network, or were read in place of that.</summary>
    public abstract long BytesTransferred { get; }

    public virtual void Dispose()
    {
    }
}
