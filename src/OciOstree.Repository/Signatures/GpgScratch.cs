namespace OciOstree.Repository;

/// <summary>A directory for one run of gpg, readable by us alone, as gpg wants its home to be.</summary>
internal sealed class GpgScratch : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("oci-ostree-gpg-").FullName;

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        string path = System.IO.Path.Combine(Path, name);
        using FileStream file = File.Create(path);
        file.Write(content);
        return path;
    }

    public void Dispose()
    {
        // An agent that was started for this home goes when its socket does, and takes that away itself.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException) when (attempt < 3)
            {
                if (!Directory.Exists(Path))
                    return;
            }
        }
    }
}
