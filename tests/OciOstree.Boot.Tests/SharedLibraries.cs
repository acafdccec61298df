namespace OciOstree.Boot.Tests;

internal static class SharedLibraries
{
    /// <summary>Copies the libraries that a program is linked to, and the loader, to the same paths below a root.</summary>
    internal static void Copy(string program, string root)
    {
        foreach (string line in Tool.Run("ldd", program).Ok().OutputLines)
        {
            string? path = line.Split(' ', '\t').FirstOrDefault(word => word.StartsWith('/'));
            if (path is null)
                continue;   // the vDSO
            string target = root + path;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (!File.Exists(target))
                File.Copy(path, target);   // follows links: what the loader looks for is this name
        }
    }

    /// <summary>The same for a program of <see cref="SidOstree"/>, with its own libraries and loader.</summary>
    internal static void CopyOfSid(string program, string root)
    {
        Directory.CreateDirectory(root + "/usr/lib/x86_64-linux-gnu");
        Directory.CreateDirectory(root + "/lib64");
        foreach (string line in Tool.Run(SidOstree.Loader, "--library-path", SidOstree.Libraries, "--list", program).Ok().OutputLines)
        {
            string? path = line.Split(' ', '\t').FirstOrDefault(word => word.StartsWith(SidOstree.Root + "/", StringComparison.Ordinal));
            if (path is null)
                continue;   // the vDSO
            bool isLoader = path == SidOstree.Loader;
            File.Copy(path, root + (isLoader ? "/lib64/" : "/usr/lib/x86_64-linux-gnu/") + Path.GetFileName(path), overwrite: true);
        }
    }
}
