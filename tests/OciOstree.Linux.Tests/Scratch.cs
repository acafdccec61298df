namespace OciOstree.Linux.Tests;

/// <summary>A directory of a test's own, removed with everything in it.</summary>
public sealed class Scratch : IDisposable
{
    private readonly string path;

    public Scratch(string? parent = null)
    {
        parent ??= System.IO.Path.GetTempPath();
        path = System.IO.Path.Combine(parent, "oci-ostree-linux-" + Guid.NewGuid().ToString("N")[..12]);
        System.IO.Directory.CreateDirectory(path);
        Directory = LinuxDirectory.Open(path);
    }

    public LinuxDirectory Directory { get; }

    public string Path => path;

    public void Write(string name, string content, uint mode = 0x1A4) =>
        Directory.ReplaceFile(name, System.Text.Encoding.UTF8.GetBytes(content), mode, sync: false);

    public string Read(string name) => System.Text.Encoding.UTF8.GetString(Directory.ReadAllBytes(name, 1 << 20));

    public void Dispose()
    {
        Directory.Dispose();
        using var parent = LinuxDirectory.Open(System.IO.Path.GetDirectoryName(path)!);
        parent.RemoveTree(System.IO.Path.GetFileName(path));
    }
}
