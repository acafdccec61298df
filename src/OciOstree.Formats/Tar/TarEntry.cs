using System.Text;

namespace OciOstree.Formats.Tar;

/// <summary>One member of a tar stream. Names are raw bytes, as the file systems of the world have them.</summary>
public sealed class TarEntry
{
    /// <summary>The path as the archive has it, without the trailing slashes of a directory (unless it is nothing else).</summary>
    public byte[] Name { get; set; } = [];

    public TarEntryType Type { get; set; }

    /// <summary>Permission bits, set-id and sticky bits included (07777): no file type.</summary>
    public uint Mode { get; set; }

    public long Uid { get; set; }

    public long Gid { get; set; }

    /// <summary>Bytes of content; for a sparse file of the expanded file. 0 for all that is not a <see cref="TarEntryType.File"/>.</summary>
    public long Size { get; set; }

    /// <summary>How many bytes of <see cref="Size"/> the archive does not hold: a sparse file's holes, which a few bytes can claim any number of.</summary>
    public long HoleSize { get; set; }

    /// <summary>Seconds since 1970, rounded down; may be negative.</summary>
    public long ModifiedSeconds { get; set; }

    public uint ModifiedNanoseconds { get; set; }

    /// <summary>The target of a symbolic link, or the name of the earlier entry that a hard link means.</summary>
    public byte[] LinkName { get; set; } = [];

    public uint DeviceMajor { get; set; }

    public uint DeviceMinor { get; set; }

    public IReadOnlyList<TarXattr> Xattrs { get; set; } = [];

    public string? UserName { get; set; }

    public string? GroupName { get; set; }

    /// <summary>The name for messages: bytes that are not UTF-8 show as U+FFFD.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Name);
}
