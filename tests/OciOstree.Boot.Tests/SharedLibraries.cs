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
}
