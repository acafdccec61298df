using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Objects whose inode numbers are the same in their lower 32 bits. An ostree of old took such objects for one another
/// (https://github.com/ostreedev/ostree/pull/2874), and its merges of images may hold the wrong files.
/// </summary>
/// <param name="Inode64">Objects with a number beyond 32 bits.</param>
/// <param name="Inode32">Objects with one within.</param>
/// <param name="Collisions">The numbers beyond 32 bits that, cut off, are those of another object; in order.</param>
public sealed record InodeCheck(long Inode64, long Inode32, IReadOnlyList<ulong> Collisions)
{
    /// <summary>Looks at all objects of a repository.</summary>
    /// <param name="collided">Told of each collision: the number and the object, and the object that has it cut off.</param>
    public static InodeCheck Run(Repo repo, Action<ulong, string, string>? collided = null)
    {
        Dictionary<uint, string> small = [];
        List<(ulong Inode, string Checksum)> large = [];
        using var objects = repo.Root.OpenDirectory("objects", followLinks: true);
        foreach (var directory in objects.ReadEntries().Where(entry => entry.Name.Length == 2))
        {
            using var inner = objects.TryOpenDirectory(directory.Name);
            foreach (var entry in inner?.ReadEntries() ?? [])
            {
                if (entry.Type is not (FileType.RegularFile or FileType.SymbolicLink) && inner!.TryStatus(entry.Name) is not ({ IsRegularFile: true } or { IsSymbolicLink: true }))
                {
                    continue;
                }

                var checksum = directory.Name + entry.Name.Split('.')[0];
                if (entry.Inode <= uint.MaxValue)
                {
                    small[(uint)entry.Inode] = checksum;
                }
                else
                {
                    large.Add((entry.Inode, checksum));
                }
            }
        }

        return Compare(small, large, collided);
    }

    internal static InodeCheck Compare(Dictionary<uint, string> small, List<(ulong Inode, string Checksum)> large, Action<ulong, string, string>? collided)
    {
        SortedSet<ulong> collisions = [];
        foreach (var (inode, checksum) in large)
        {
            if (small.TryGetValue((uint)inode, out var other))
            {
                collisions.Add(inode);
                collided?.Invoke(inode, checksum, other);
            }
        }

        return new InodeCheck(large.Select(item => item.Inode).Distinct().Count(), small.Count, [.. collisions]);
    }
}
