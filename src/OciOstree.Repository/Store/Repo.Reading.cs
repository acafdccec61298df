using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;
using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    /// <summary>No metadata object may be larger (bytes), as in ostree.</summary>
    public const int MaxMetadataSize = 128 << 20;

    internal static readonly byte[] BareUserMetadata = "user.ostreemeta"u8.ToArray();

    // Few distinct dirmetas serve all the directories of a tree.
    private readonly ConcurrentDictionary<Checksum, DirMeta> dirMetas = new();

    /// <summary>Whether the object is here, in a running transaction of this instance, or in a parent.</summary>
    public bool HasObject(ObjectName name) => HasOwnObject(name) || Parent is { } parent && parent.HasObject(name);

    internal bool HasOwnObject(ObjectName name) => Find(name, static (directory, path) => directory.Exists(path) ? directory : null) is not null;

    /// <summary>
    /// Finds where an object is: in a running transaction or in <c>objects/</c>. A commit moves objects from the one to the other, so looking in
    /// this order misses none on the way.
    /// </summary>
    private T? Find<T>(ObjectName name, Func<LinuxDirectory, string, T?> open) where T : class
    {
        string path = LoosePath.Of(name, Mode);
        foreach (StagingDirectory stage in stages)
        {
            try
            {
                if (open(stage.For(name.Type), path) is { } staged)
                    return staged;
            }
            catch (ObjectDisposedException)
            {
                // Its transaction ended meanwhile; what it committed is in objects/.
            }
        }
        return open(objects, path);
    }

    /// <summary>Reads a metadata object and checks its bytes against its name.</summary>
    /// <exception cref="RepositoryException">It is missing, too large or not what its name says.</exception>
    public ReadOnlyMemory<byte> ReadMetadata(ObjectName name)
    {
        ReadOnlyMemory<byte> bytes = TryReadMetadata(name) ?? throw new RepositoryException($"No such metadata object {name}");
        return bytes;
    }

    /// <summary>Reads a metadata object, null if it is not here.</summary>
    /// <exception cref="RepositoryException">It is too large or not what its name says.</exception>
    public ReadOnlyMemory<byte>? TryReadMetadata(ObjectName name)
    {
        byte[]? bytes;
        try
        {
            bytes = Find(name, static (directory, path) => ReadSmall(directory, path));
        }
        catch (IOException e)
        {
            throw new RepositoryException($"Reading object {name}", e);
        }
        if (bytes is null)
            return Parent?.TryReadMetadata(name);
        // Metadata is small: checking it on every read costs less than the open, and what is damaged is never believed.
        if (name.Type.IsMetadata() || name.Type == ObjectType.FileXattrs)
        {
            Checksum actual = Checksum.Compute(bytes);
            if (actual != name.Checksum)
                throw ContentStream.Corrupted(name, actual);
        }
        return bytes;
    }

    private static byte[]? ReadSmall(LinuxDirectory directory, string path)
    {
        using SafeFileHandle? handle = directory.TryOpenFile(path, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        if (handle is null)
            return null;
        byte[] rented = ArrayPool<byte>.Shared.Rent(16 << 10);
        try
        {
            // A regular file reads short only at its end: one read gets nearly every object whole.
            int length = Files.ReadAt(handle, rented, 0);
            if (length == rented.Length)
            {
                // Large ones are rare, and kept out of the pool, which would not give their memory back.
                long size = Files.Status(handle, path).Size;
                if (size > MaxMetadataSize)
                    throw new RepositoryException($"Metadata object {path} exceeds the maximum of {MaxMetadataSize} bytes");
                byte[] whole = new byte[Math.Max(size, length)];
                rented.AsSpan(0, length).CopyTo(whole);
                for (int more; length < whole.Length && (more = Files.ReadAt(handle, whole.AsSpan(length), length)) > 0;)
                    length += more;
                return length == whole.Length ? whole : whole[..length];
            }
            return rented.AsSpan(0, length).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public Commit ReadCommit(Checksum checksum) => Parsed(new ObjectName(checksum, ObjectType.Commit), static bytes => Commit.Parse(bytes));

    public DirTree ReadDirTree(Checksum checksum) => Parsed(new ObjectName(checksum, ObjectType.DirTree), static bytes => DirTree.Parse(bytes.Span));

    public DirMeta ReadDirMeta(Checksum checksum)
    {
        if (dirMetas.TryGetValue(checksum, out DirMeta? cached))
            return cached;
        DirMeta meta = Parsed(new ObjectName(checksum, ObjectType.DirMeta), static bytes => DirMeta.Parse(bytes));
        if (dirMetas.Count < 4096)
            dirMetas.TryAdd(checksum, meta);
        return meta;
    }

    private T Parsed<T>(ObjectName name, Func<ReadOnlyMemory<byte>, T> parse)
    {
        ReadOnlyMemory<byte> bytes = ReadMetadata(name);
        try
        {
            return parse(bytes);
        }
        catch (RepositoryException e)
        {
            throw new RepositoryException($"Reading object {name}", e);
        }
    }

    /// <summary>A commit's detached metadata, an <c>a{sv}</c>; null if it has none.</summary>
    public Variant? ReadCommitMeta(Checksum commit)
    {
        ObjectName name = new(commit, ObjectType.CommitMeta);
        if (TryReadMetadata(name) is not { } bytes)
            return null;
        Variant metadata = Variant.FromBytes("a{sv}", bytes);
        return metadata.IsNormalForm() ? metadata : throw new RepositoryException($"Corrupted object {name}: not in normal form");
    }

    /// <summary>Opens a content object.</summary>
    /// <param name="verify">Check the content read through <see cref="RepoFile.Content"/> against the checksum.</param>
    /// <exception cref="RepositoryException">It is missing or damaged.</exception>
    public RepoFile OpenFile(Checksum checksum, bool verify = true)
    {
        try
        {
            return TryOpenFile(checksum, verify) ?? throw new RepositoryException($"Couldn't find file object '{checksum}'");
        }
        catch (Exception e) when (e is IOException or RepositoryException { InnerException: null } && !e.Message.Contains(checksum.ToString(), StringComparison.Ordinal))
        {
            throw new RepositoryException($"Opening content object {checksum}", e);
        }
    }

    /// <summary>Reads what a content object says of its file, without the content.</summary>
    public FileHeader ReadFileHeader(Checksum checksum, out long size)
    {
        using RepoFile file = OpenFile(checksum, verify: false);
        size = file.Size;
        return file.Header;
    }

    private RepoFile? TryOpenFile(Checksum checksum, bool verify)
    {
        RepoFile? file = Find(new ObjectName(checksum, ObjectType.File), (directory, relative) => Mode switch
        {
            RepoMode.Archive => OpenArchived(directory, relative, checksum, verify),
            RepoMode.BareUser => OpenBareUser(directory, relative, checksum, verify),
            _ => OpenBare(directory, relative, checksum, verify),
        });
        return file ?? Parent?.TryOpenFile(checksum, verify);
    }

    private static RepoFile? OpenArchived(LinuxDirectory directory, string path, Checksum checksum, bool verify)
    {
        SafeFileHandle? handle = directory.TryOpenFile(path, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        if (handle is null)
            return null;
        try
        {
            return ReadArchived(handle, checksum, verify);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads an archive's file; the result owns the handle.</summary>
    internal static RepoFile ReadArchived(SafeFileHandle handle, Checksum checksum, bool verify)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            FileHeader parsed = ReadArchivedHeader((part, at) => Files.ReadAt(handle, part, at), Files.Status(handle).Size, rented, out long size, out long start);
            return new RepoFile(parsed, size, handle, isPlain: false, () => OpenArchived(parsed, size, new HandleStream(handle, start), checksum, verify));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    internal delegate int ReadPart(Span<byte> part, long at);

    /// <summary>Reads the header of an archive's file: u32 big-endian header length, four bytes of padding, header; raw deflate of the content follows.</summary>
    /// <param name="size">The content's length, 0 for a link.</param>
    /// <param name="start">Where the content begins.</param>
    internal static FileHeader ReadArchivedHeader(ReadPart read, long total, Span<byte> buffer, out long size, out long start)
    {
        int length = read(buffer, 0);
        if (length < 8)
            throw new CorruptedObjectException("Corrupted file object: shorter than its fixed part");
        uint headerLength = BinaryPrimitives.ReadUInt32BigEndian(buffer);
        if (headerLength > total - 8 || headerLength > MaxMetadataSize)
            throw new CorruptedObjectException("Corrupted file object: its header runs past its end");
        byte[] header = new byte[headerLength];
        if (headerLength <= length - 8)
            buffer.Slice(8, (int)headerLength).CopyTo(header);
        else
            for (int filled = 0, part; filled < header.Length; filled += part)
                if ((part = read(header.AsSpan(filled), 8 + filled)) == 0)
                    throw new CorruptedObjectException("Corrupted file object: its header runs past its end");
        FileHeader parsed = FileHeader.ParseArchive(header, out size);
        if (parsed.IsSymlink)
            size = 0;
        start = 8 + headerLength;
        return parsed;
    }

    /// <summary>The content of an archive's file, unpacked.</summary>
    internal static ContentStream OpenArchived(FileHeader header, long size, Stream compressed, Checksum checksum, bool verify) =>
        new(header.IsSymlink ? Stream.Null : new DeflateStream(compressed, CompressionMode.Decompress), checksum, header, size, verify);

    private static RepoFile? OpenBareUser(LinuxDirectory directory, string path, Checksum checksum, bool verify)
    {
        SafeFileHandle? handle = directory.TryOpenFile(path, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        if (handle is null)
            return null;
        try
        {
            byte[] value = Xattrs.Get(handle, BareUserMetadata) ?? throw new RepositoryException("Corrupted file object: no user.ostreemeta xattr");
            DirMeta meta = DirMeta.ParseAny(value);
            long size = Files.Status(handle).Size;
            string target = "";
            if ((meta.Mode & FileHeader.TypeMask) == FileHeader.SymlinkType)
            {
                target = ReadStoredTarget(handle, size);
                size = 0;
            }
            FileHeader header = new(meta.Uid, meta.Gid, meta.Mode, target, meta.Xattrs);
            header.Validate();
            RepoFile file = Plain(handle, header, size, checksum, verify);
            handle = null;
            return file;
        }
        finally
        {
            handle?.Dispose();
        }
    }

    // A link is stored as a regular file: its target and a NUL.
    private static string ReadStoredTarget(SafeFileHandle handle, long size)
    {
        if (size > 4096 + 1)
            throw new RepositoryException("Corrupted file object: a link's target is too long");
        byte[] target = new byte[size];
        int read = Files.ReadAt(handle, target, 0);
        ReadOnlySpan<byte> bytes = target.AsSpan(0, read);
        int end = bytes.IndexOf((byte)0);
        return FileName.FromBytes(end < 0 ? bytes : bytes[..end]);
    }

    private RepoFile? OpenBare(LinuxDirectory directory, string path, Checksum checksum, bool verify)
    {
        if (directory.TryStatus(path) is not { } status)
            return null;
        if (status.Type == FileType.SymbolicLink)
        {
            XattrSet linkXattrs = Mode == RepoMode.Bare && !settings.DisableXattrs ? ReadXattrs(Xattrs.ReadAll(directory, path)) : XattrSet.Empty;
            if (Mode == RepoMode.BareSplitXattrs)
                linkXattrs = ReadSplitXattrs(directory, path);
            FileHeader link = new(Owner(status.Uid), Owner(status.Gid), FileHeader.SymlinkType | 0x1FF, directory.ReadLink(path), linkXattrs);
            return new RepoFile(link, 0, null, isPlain: false, () => new ContentStream(Stream.Null, checksum, link, 0, verify));
        }
        if (status.Type != FileType.RegularFile)
            throw new RepositoryException("Not a regular file or symlink");
        SafeFileHandle handle = directory.OpenFile(path, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        try
        {
            XattrSet xattrs = Mode switch
            {
                RepoMode.Bare when !settings.DisableXattrs => ReadXattrs(Xattrs.ReadAll(handle)),
                RepoMode.BareSplitXattrs => ReadSplitXattrs(directory, path),
                _ => XattrSet.Empty,
            };
            return Plain(handle, new FileHeader(Owner(status.Uid), Owner(status.Gid), status.Mode, "", xattrs), status.Size, checksum, verify);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    // ostree takes an xattr without a value for none.
    private static XattrSet ReadXattrs(List<Xattr> xattrs) =>
        xattrs.Count == 0 ? XattrSet.Empty : XattrSet.From(xattrs.Where(xattr => xattr.Value.Length > 0));

    // Whoever owns a bare-user-only repository's files, what they stand for is root's.
    private uint Owner(uint id) => Mode == RepoMode.BareUserOnly ? 0 : id;

    private static XattrSet ReadSplitXattrs(LinuxDirectory directory, string path) =>
        XattrSet.Parse(ReadSmall(directory, path + "-xattrs-link") ?? throw new RepositoryException("Corrupted file object: its file-xattrs-link object is missing"));

    private static RepoFile Plain(SafeFileHandle handle, FileHeader header, long size, Checksum checksum, bool verify) =>
        new(header, size, handle, isPlain: !header.IsSymlink,
            () => new ContentStream(header.IsSymlink ? Stream.Null : new HandleStream(handle, 0), checksum, header, size, verify));
}
