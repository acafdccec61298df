using OciOstree.Formats.Tar;

namespace OciOstree.Container;

/// <summary>How much sparse files may blow a layer up: their holes cost an archive nothing, and the disk that the content is written to all the more.</summary>
internal struct HoleBudget
{
    private long holes;

    /// <exception cref="ContainerException">The layer's holes are out of proportion.</exception>
    internal void Add(TarEntry entry, TarReader tar)
    {
        if (entry.HoleSize > 0 && (entry.HoleSize > long.MaxValue - holes || (holes += entry.HoleSize) > ExpansionLimit.Of(tar.Offset)))
        {
            throw new ContainerException($"{entry} of {entry.Size} bytes, of which the layer has {entry.Size - entry.HoleSize}, is too sparse to be believed");
        }
    }
}
