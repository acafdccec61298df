using System.CommandLine;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ChecksumCommand
{
    public static Command Create()
    {
        var ignoreXattrs = Opts.Flag("--ignore-xattrs", "Don't include xattrs in checksum");
        return new OstreeVerb("checksum", "Checksum a file or directory", "PATH", "ostree checksum /etc/os-release") { UsesRepo = false, Options = { ignoreXattrs } }.Does((OstreeCall call) =>
        {
            if (call.Words.Count == 0)
                throw new RepositoryException("A filename must be given");
            string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(call.Words[0]));
            try
            {
                using LinuxDirectory parent = LinuxDirectory.Open(Path.GetDirectoryName(full) ?? "/");
                call.Print(FileChecksum.Of(parent, Path.GetFileName(full) is { Length: > 0 } name ? name : ".", call.Get(ignoreXattrs)).ToString());
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT)
            {
                throw new RepositoryException($"Error when getting information for file “{full}”: {ErrorText.Of(e)}");
            }
        });
    }
}
