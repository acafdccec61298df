using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A policy in a root directory on disk.</summary>
internal sealed class DirectoryPolicyTree(LinuxDirectory root) : IPolicyTree
{
    public byte[]? TryRead(string path, int limit)
    {
        // A FIFO has no content and would keep us waiting for somebody to write some.
        using SafeFileHandle? file = root.TryOpenInRoot(path, OpenFlags.ReadOnly | OpenFlags.NonBlocking);
        return file is not null && Files.Status(file, path).IsRegularFile ? Files.ReadAll(file, limit, path) : null;
    }

    public bool HasDirectory(string path)
    {
        using LinuxDirectory? directory = root.TryOpenDirectoryInRoot(path);
        return directory is not null;
    }

    public IEnumerable<string> FileNames(string path)
    {
        using LinuxDirectory? directory = root.TryOpenDirectoryInRoot(path);
        return directory is null ? [] : [.. directory.ReadEntries().Where(entry => entry.Type == FileType.RegularFile).Select(static entry => entry.Name)];
    }
}
