using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Which object a file on disk is a hard link to. A checkout fills it as it links, and a commit of the changed checkout then need not read
/// what is still the repository's own file. Safe for use by several threads.
/// </summary>
public sealed class DevInoCache
{
    private readonly ConcurrentDictionary<(ulong Device, ulong Inode), Checksum> objects = new();

    public int Count => objects.Count;

    /// <summary>All content objects of a bare repository and its parents.</summary>
    public static DevInoCache Scan(Repo repo)
    {
        var cache = new DevInoCache();
        for (Repo? current = repo; current != null; current = current.Parent)
        {
            using LinuxDirectory objects = current.Root.OpenDirectory("objects");
            foreach (DirectoryEntry prefix in objects.ReadEntries())
            {
                if (prefix.Name.Length != 2 || prefix.Type is not (FileType.Directory or FileType.Unknown))
                    continue;
                using LinuxDirectory directory = objects.OpenDirectory(prefix.Name);
                // Directory and objects are on one file system, and readdir tells an object's inode.
                ulong device = directory.Status().Device;
                foreach (DirectoryEntry entry in directory.ReadEntries())
                {
                    if (entry.Name.Length == 67 && entry.Name.EndsWith(".file", StringComparison.Ordinal)
                        && Checksum.TryParse(prefix.Name + entry.Name[..62], out Checksum checksum))
                        cache.objects[(device, entry.Inode)] = checksum;
                }
            }
        }
        return cache;
    }

    internal void Add(in FileStatus status, Checksum checksum) => objects[(status.Device, status.Inode)] = checksum;

    internal bool TryGet(in FileStatus status, [MaybeNullWhen(false)] out Checksum checksum) => objects.TryGetValue((status.Device, status.Inode), out checksum);
}
