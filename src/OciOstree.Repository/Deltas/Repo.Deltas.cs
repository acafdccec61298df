using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>A file without a name, for what is unpacked on the way.</summary>
    internal TemporaryFile CreateRoom()
    {
        using LinuxDirectory? own = Root.TryOpenDirectory("tmp", followLinks: true);
        try
        {
            if (own is not null)
                return own.CreateTemporaryFile();
        }
        catch (LinuxException e) when (e.Errno is Errno.EROFS or Errno.EACCES or Errno.EPERM)
        {
            // A repository that can only be read has room elsewhere.
        }
        using LinuxDirectory other = LinuxDirectory.Open(System.IO.Path.GetTempPath());
        return other.CreateTemporaryFile();
    }
}
