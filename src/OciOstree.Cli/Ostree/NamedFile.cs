using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>Files named on the command line that are read whole, with ostree's words where one cannot be read.</summary>
internal static class NamedFile
{
    public static byte[] Read(string path)
    {
        try
        {
            return Files.ReadNamed(path);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"openat({path}): {ErrorText.Of(e)}");
        }
    }

    public static string ReadText(string path)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Read(path));
        }
        catch (DecoderFallbackException)
        {
            throw new RepositoryException("Invalid UTF-8");
        }
    }
}
