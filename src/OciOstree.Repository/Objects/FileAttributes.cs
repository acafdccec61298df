using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>The owner and the mode, type bits included, of a file, a symbolic link or a directory.</summary>
public readonly record struct FileAttributes(uint Uid, uint Gid, uint Mode)
{
    public bool IsDirectory => FileStatus.TypeOf(Mode) == FileType.Directory;

    public bool IsRegularFile => FileStatus.TypeOf(Mode) == FileType.RegularFile;

    internal static FileAttributes Of(in FileStatus status) => new(status.Uid, status.Gid, status.Mode);

    /// <summary>Owner 0:0 and, for all but links, a mode within 0755.</summary>
    internal FileAttributes Canonical() =>
        new(0, 0, FileStatus.TypeOf(Mode) == FileType.SymbolicLink ? Mode : Mode & (ModeBits.TypeMask | 0x1ED));
}
