namespace OciOstree.Linux;

public sealed partial class LinuxDirectory
{
    /// <summary>A new file without a name yet, on this directory's file system. Dispose removes it unless it was given one.</summary>
    public TemporaryFile CreateTemporaryFile(uint mode = 0x180) => TemporaryFile.Create(this, mode);

    /// <summary>Replaces a small file atomically: readers see the old content or the new. With <paramref name="sync"/> file and directory are flushed.</summary>
    /// <param name="label">An attribute that the file has from the start, where the file system can hold it.</param>
    public void ReplaceFile(string name, ReadOnlySpan<byte> content, uint mode, bool sync, Xattr? label = null)
    {
        int slash = name.LastIndexOf('/');
        if (slash >= 0)
        {
            using var parent = OpenDirectory(slash == 0 ? "/" : name[..slash], followLinks: true);
            parent.ReplaceFile(name[(slash + 1)..], content, mode, sync, label);
            return;
        }
        using var file = CreateTemporaryFile(mode);
        Files.Write(file.Handle, content, PathOf(name));
        if (label is { } attribute && !Xattrs.TrySet(file.Handle, attribute.Name, attribute.Value, out Errno errno) && errno != Errno.EOPNOTSUPP)
            throw Failure(errno, "label", name);
        if (sync)
            Files.Sync(file.Handle, PathOf(name));
        file.ReplaceAs(this, name);
        if (sync)
            Sync();
    }

    /// <summary>Reads a whole file, refusing one longer than <paramref name="limit"/> bytes with EFBIG.</summary>
    public byte[] ReadAllBytes(string name, long limit)
    {
        using var file = OpenFile(name, OpenFlags.ReadOnly);
        return Files.ReadAll(file, limit, PathOf(name));
    }

    /// <summary>As <see cref="ReadAllBytes"/>, null if the file does not exist.</summary>
    public byte[]? TryReadAllBytes(string name, long limit)
    {
        using var file = TryOpenFile(name, OpenFlags.ReadOnly);
        return file is null ? null : Files.ReadAll(file, limit, PathOf(name));
    }
}
