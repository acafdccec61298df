namespace OciOstree.Testing;

/// <summary>A directory of its own for one test, removed with everything in it when the test ends.</summary>
/// <remarks>
/// It lies under <c>/var/tmp</c> rather than <c>/tmp</c>: the latter is often a tmpfs, which lacks user xattrs,
/// and a tree that does not fit in memory is part of what the tests make.
/// </remarks>
public sealed class ScratchDirectory : IDisposable
{
    public ScratchDirectory(string name = "test")
    {
        Path = System.IO.Path.Combine(Root, $"oci-ostree-{name}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    private static string Root => Environment.GetEnvironmentVariable("OCI_OSTREE_TEST_TMP") ?? "/var/tmp";

    public string Path { get; }

    /// <summary>The path of <paramref name="relative"/> in this directory; nothing is made.</summary>
    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    /// <summary>Makes the directory <paramref name="relative"/> and its parents.</summary>
    public string MakeDirectory(string relative)
    {
        string path = this[relative];
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>Writes a file, with its parent directories.</summary>
    public string Write(string relative, string content)
    {
        string path = this[relative];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    public void Dispose()
    {
        // rm rather than Directory.Delete: names that are not UTF-8 and directories without permissions are in the trees of the tests.
        if (Tool.Run("rm", "-rf", "--", Path).ExitCode == 0)
            return;
        // The roots of deployments are immutable.
        Tool.Run("chattr", "-R", "-f", "-i", "--", Path);
        Tool.Run("rm", "-rf", "--", Path).Ok();
    }
}
