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
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private readonly int _length;

    /// <summary>Maps a whole open file; the handle may be closed afterwards.</summary>
    /// <exception cref="LinuxException">EFBIG: the file has 2 GiB or more.</exception>
    public MappedFile(SafeFileHandle file, string? path = null)
    {
        long size = Files.Status(file, path).Size;
        if (size > Array.MaxLength)
            throw new LinuxException(Errno.EFBIG, "map", path);
        _length = (int)size;
        if (size == 0)
            return;
        _file = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, size, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin() { }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _view is null)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file!.Dispose();
    }
}
