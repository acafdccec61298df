using System.Runtime.InteropServices;

namespace OciOstree.Linux;

public sealed partial class LinuxDirectory
{
    private readonly Lock reading = new();

    /// <summary>The names in the directory, in the order the file system keeps them, read to the end at once.</summary>
    public unsafe List<DirectoryEntry> ReadEntries()
    {
        var entries = new List<DirectoryEntry>();
        const int size = 64 * 1024;   // as many names a call as glibc's readdir gets in two
        byte* buffer = (byte*)NativeMemory.Alloc(size);
        try
        {
            lock (reading)   // the read position belongs to the descriptor
            {
                if (Libc.lseek(Handle, 0, 0) < 0)
                    throw new LinuxException(Libc.LastError, "read the directory", Path);
                while (true)
                {
                    nint count = Libc.getdents64(Handle, buffer, size);
                    if (count == 0)
                        break;
                    if (count < 0)
                        RetryOrThrow("read the directory", Path);
                    else
                        Parse(new ReadOnlySpan<byte>(buffer, (int)count), entries);
                }
            }
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
        for (int i = 0; i < entries.Count; i++)
        {
            // A file system need not keep types in its directories.
            if (entries[i].Type == FileType.Unknown && TryStatus(entries[i].Name) is { } status)
                entries[i] = entries[i] with { Type = status.Type };
        }
        return entries;
    }

    /// <summary>The target of a symbolic link.</summary>
    public unsafe string ReadLink(string name)
    {
        byte* stack = stackalloc byte[512];
        nint length = ReadLinkInto(name, stack, 512);
        if (length < 512)
            return FileName.FromBytes(new ReadOnlySpan<byte>(stack, (int)length));
        const int most = 65536;   // Linux's own limit is a page, other systems' media may hold more
        var bytes = new byte[most];
        fixed (byte* heap = bytes)
            length = ReadLinkInto(name, heap, most);
        return length < most ? FileName.FromBytes(bytes.AsSpan(0, (int)length)) : throw Failure(Errno.ENAMETOOLONG, "read the link", name);
    }

    /// <summary>As <see cref="ReadLink"/>, null if the name does not exist or is no link.</summary>
    public string? TryReadLink(string name)
    {
        try
        {
            return TryStatus(name) is { IsSymbolicLink: true } ? ReadLink(name) : null;
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.EINVAL)
        {
            return null;
        }
    }

    private unsafe nint ReadLinkInto(string name, byte* buffer, int size)
    {
        nint length;
        while ((length = Libc.readlinkat(Handle, name, buffer, (nuint)size)) < 0)
            RetryOrThrow("read the link", name, this);
        return length;
    }

    // struct linux_dirent64: u64 inode, s64 offset, u16 record length, u8 type, name with NUL
    private static void Parse(ReadOnlySpan<byte> records, List<DirectoryEntry> entries)
    {
        while (records.Length >= 19)
        {
            ulong inode = MemoryMarshal.Read<ulong>(records);
            int length = MemoryMarshal.Read<ushort>(records[16..]);
            byte type = records[18];
            var name = records[19..length];
            name = name[..name.IndexOf((byte)0)];
            records = records[length..];
            if (name is [(byte)'.'] or [(byte)'.', (byte)'.'])
                continue;
            entries.Add(new DirectoryEntry(FileName.FromBytes(name), FileStatus.TypeOf((uint)type << 12), inode));
        }
    }
}
