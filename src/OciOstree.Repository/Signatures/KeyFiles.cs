using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>Where keys are on a machine.</summary>
internal static class KeyFiles
{
    // Ten thousand keys and more; beyond it is a mistake.
    private const long MaxSize = 16 << 20;

    /// <exception cref="RepositoryException">It is no regular file, or too large.</exception>
    public static byte[] Read(string path)
    {
        if (Files.TryStatus(path, followLinks: true) is not { Type: FileType.RegularFile })
            throw new RepositoryException($"File object '{path}' is not a regular file");
        try
        {
            return Files.ReadNamed(path, MaxSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RepositoryException($"Reading keys from '{path}'", e);
        }
    }

    /// <summary>The files of a kind of list, <c>trusted</c> or <c>revoked</c>, whether they exist or not.</summary>
    public static IEnumerable<string> WellKnown(SignatureType type, string list, string? baseDirectory)
    {
        foreach (string directory in baseDirectory is null ? (string[])["/etc/ostree", "/usr/share/ostree"] : [baseDirectory])
        {
            string file = $"{directory}/{list}.{type.Name}";
            yield return file;
            if (Directory.Exists(file + ".d"))
                foreach (string entry in Directory.EnumerateFiles(file + ".d").Order(StringComparer.Ordinal))
                    yield return entry;
        }
    }
}
