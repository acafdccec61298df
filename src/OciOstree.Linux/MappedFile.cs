using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>
/// A file's bytes as memory, read by the kernel where they are looked at. Only for files that nobody shortens meanwhile:
/// looking beyond the end of one kills the process.
/// </summary>
public sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private readonly byte* start;
    private readonly int length;

    /// <summary>Maps a whole open file; the handle may be closed afterwards.</summary>
    /// <exception cref="LinuxException">EFBIG: the file has 2 GiB or more.</exception>
    public MappedFile(SafeFileHandle file, string? path = null)
    {
        long size = Files.Status(file, path).Size;
        if (size > Array.MaxLength)
            throw new LinuxException(Errno.EFBIG, "map", path);
        length = (int)size;
        if (size == 0)
            return;
        this.file = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        view = this.file.CreateViewAccessor(0, size, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin() { }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || view is null)
            return;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file!.Dispose();
    }
}
