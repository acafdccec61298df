using OciOstree.Formats.Tar;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>What a tar entry says of its owner and its link's target, as ostree can store it.</summary>
internal static class TarOwner
{
    /// <exception cref="ContainerException">An id does not fit in 32 bits, as the kernel's do.</exception>
    internal static (uint Uid, uint Gid) Of(TarEntry entry) =>
        entry.Uid is >= 0 and < uint.MaxValue && entry.Gid is >= 0 and < uint.MaxValue
            ? ((uint)entry.Uid, (uint)entry.Gid)
            : throw new ContainerException($"{entry} is owned by {entry.Uid}:{entry.Gid}, which no file can be");

    /// <exception cref="ContainerException">The target is empty, too long, or not text.</exception>
    internal static string Target(TarEntry entry)
    {
        var target = FileName.FromBytes(entry.LinkName);
        // PATH_MAX counts the terminating NUL.
        return target.Length > 0 && entry.LinkName.Length < 4096 && !target.Contains('\0') && FileName.IsUtf8(target)
            ? target
            : throw new ContainerException($"symbolic link {entry} has no valid target");
    }
}
