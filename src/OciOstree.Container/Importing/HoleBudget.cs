using OciOstree.Formats.Tar;

namespace OciOstree.Container;

/// <summary>How much sparse files may blow a layer up: their holes cost an archive nothing, and the disk that the content is written to all the more.</summary>
internal struct HoleBudget
{
    // As for decompression: no file of an operating system comes near.
    private const long FreeBytes = 8L << 30;
    private const long MaxRatio = 250;

    private long holes;

    /// <exception cref="ContainerException">The layer's holes are out of proportion.</exception>
    internal void Add(TarEntry entry, TarReader tar)
    {
        if (entry.HoleSize > 0 && (entry.HoleSize > long.MaxValue - holes || (holes += entry.HoleSize) > FreeBytes + (tar.Offset * MaxRatio)))
        {
            throw new ContainerException($"{entry} of {entry.Size} bytes, of which the layer has {entry.Size - entry.HoleSize}, is too sparse to be believed");
        }
    }
}
