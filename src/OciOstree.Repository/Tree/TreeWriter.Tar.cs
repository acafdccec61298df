using System.Buffers;
using System.Text;
using OciOstree.Formats.Tar;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class TreeWriter
{
    // Smaller files are hashed and stored in the background while the archive is read on; what waits is at most this times the queue's length.
    private const int LargestQueuedFile = 256 << 10, QueuedFiles = 64;

    private const uint DefaultDirectoryMode = ModeBits.Directory | 0x1ED;

    /// <summary>Lays an archive, compressed or not, over the tree.</summary>
    /// <remarks>
    /// Hard links are resolved at the end, as their target may come later. Of entries with the same name the last counts.
    /// </remarks>
    /// <exception cref="RepositoryException">
    /// The archive is damaged; an entry's path leaves the root, has no parent directory in the tree, or is neither a file, a directory nor a link.
    /// </exception>
    public void AddTar(Stream archive, TarCommitOptions? options = null)
    {
        options ??= new TarCommitOptions();
        var pending = new List<PendingFile>();
        var hardLinks = new List<(MutableTree Parent, string Name, string Target)>();
        using (var queue = new WorkQueue<PendingFile>("commit", QueuedFiles, StoreQueued, static file => file.ReleaseContent()))
        {
            try
            {
                using Stream tar = FilterProgram.Open(archive);
                var reader = new ArchiveReader(tar);
                while (reader.Next() is { } entry)
                {
                    cancellation.ThrowIfCancellationRequested();
                    AddEntry(entry, reader.Content, options, pending, hardLinks, queue);
                }
                // A compressed archive's own check comes after the end of what it holds.
                tar.CopyTo(Stream.Null);
            }
            catch (FormatException e)
            {
                throw new RepositoryException("Reading archive", e);
            }
            queue.Finish();
        }

        foreach (PendingFile file in pending)
            file.Parent.SetFile(file.Name, file.Checksum);
        foreach ((MutableTree parent, string name, string target) in hardLinks)
            parent.SetFile(name, FindHardLinkTarget(target));
        if (options.AutocreateParents && root.Metadata == null)
        {
            FileAttributes attributes = Modify("/", new FileAttributes(0, 0, DefaultDirectoryMode)) ?? new FileAttributes(0, 0, DefaultDirectoryMode);
            root.Metadata = WriteDirMeta(attributes, Modify("/", attributes.Mode, XattrSet.Empty));
        }
    }

    private void AddEntry(
        TarEntry entry, Stream content, TarCommitOptions options, List<PendingFile> pending,
        List<(MutableTree Parent, string Name, string Target)> hardLinks, WorkQueue<PendingFile> queue)
    {
        string path = EntryPath(entry.Name, entry.Type == TarEntryType.Directory, options);
        // As ostree sees it, a hard link is a regular file without content.
        var original = new FileAttributes(Owner(entry.Uid, path), Owner(entry.Gid, path), entry.Mode | TypeBits(entry.Type));
        if (Modify("/" + path, original) is not { } attributes)
            return;

        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static name => name != ".").ToArray();
        MutableTree parent = FindParent(names, options.AutocreateParents, original);
        string lastName = names.Length == 0 ? "" : names[^1];
        switch (entry.Type)
        {
            case TarEntryType.Directory:
                MutableTree directory = names.Length == 0 ? root : parent.GetOrAddDirectory(lastName);
                directory.Metadata = WriteDirMeta(attributes, EntryXattrs(entry, path, attributes.Mode));
                break;
            case TarEntryType.HardLink:
                parent.SetFile(lastName, default);
                hardLinks.Add((parent, lastName, EntryPath(entry.LinkName, isDirectory: false, options)));
                break;
            case TarEntryType.SymbolicLink:
                string target = ToText(entry.LinkName, "target of symlink");
                var link = new FileHeader(attributes.Uid, attributes.Gid, attributes.Mode, target, EntryXattrs(entry, path, attributes.Mode));
                AddFile(new PendingFile(parent, lastName, link) { Checksum = transaction.WriteSymlink(link) }, pending);
                break;
            case TarEntryType.File:
                var header = new FileHeader(attributes.Uid, attributes.Gid, attributes.Mode, "", EntryXattrs(entry, path, attributes.Mode));
                var file = new PendingFile(parent, lastName, header);
                AddFile(file, pending);
                if (entry.Size > LargestQueuedFile)
                {
                    file.Checksum = transaction.WriteFile(header, entry.Size, content);
                    break;
                }
                file.Take(content, (int)entry.Size);
                queue.Add(file);
                break;
            default:
                throw new RepositoryException($"Unsupported file type for path \"{path}\"");
        }
    }

    // The name is taken at once, so that a later entry that cannot share it is refused; what it stands for comes at the end.
    private static void AddFile(PendingFile file, List<PendingFile> pending)
    {
        file.Parent.SetFile(file.Name, file.Checksum);
        pending.Add(file);
    }

    private void StoreQueued(PendingFile file)
    {
        try
        {
            file.Checksum = transaction.WriteFile(file.Header, file.Size, new MemoryStream(file.Content!, 0, file.Size, writable: false));
        }
        finally
        {
            file.ReleaseContent();
        }
    }

    private Checksum FindHardLinkTarget(string target)
    {
        int slash = target.LastIndexOf('/');
        string name = target[(slash + 1)..];
        MutableTree? parent = root.Walk(slash < 0 ? "" : target[..slash]);
        if (parent?.TryGetDirectory(name) != null)
            throw new RepositoryException($"Expected hardlink file target at \"{target}\" but found a directory");
        return parent != null && parent.TryGetFile(name, out Checksum checksum)
            ? checksum
            : throw new RepositoryException($"Processing hardlink to {target}", new RepositoryException($"No such file or directory: {name}"));
    }

    private MutableTree FindParent(string[] names, bool autocreate, FileAttributes owner)
    {
        MutableTree directory = root;
        for (int i = 0; i + 1 < names.Length; i++)
        {
            if (directory.TryGetDirectory(names[i]) is { } child)
                directory = child;
            else if (autocreate)
                return CreateParents(names, owner);
            else
                throw new RepositoryException($"No such file or directory: {names[i]}");
        }
        return directory;
    }

    // ostree gives all the parents, also those that are there, the metadata that it makes up for the missing ones.
    private MutableTree CreateParents(string[] names, FileAttributes owner)
    {
        FileAttributes attributes = owner with { Mode = DefaultDirectoryMode };
        MutableTree directory = root;
        string path = "/";
        directory.Metadata = WriteDirMeta(attributes, Label(path));
        for (int i = 0; i + 1 < names.Length; i++)
        {
            path = path.Length == 1 ? path + names[i] : path + "/" + names[i];
            directory = directory.GetOrAddDirectory(names[i]);
            directory.Metadata = WriteDirMeta(attributes, Label(path));
        }
        return directory;
    }

    private XattrSet Label(string path) => modifier?.Label(path, DefaultDirectoryMode, XattrSet.Empty) ?? XattrSet.Empty;

    private XattrSet EntryXattrs(TarEntry entry, string path, uint mode)
    {
        // Unlike a directory's, an archive's xattrs stay with canonical permissions, unless the repository can hold none.
        bool skip = canonical || modifier is { SkipXattrs: true };
        XattrSet xattrs = skip || entry.Xattrs.Count == 0 ? XattrSet.Empty : XattrSet.From(entry.Xattrs.Select(static xattr => new Xattr(xattr.Name, xattr.Value)));
        return Modify("/" + path, mode, xattrs);
    }

    private static uint Owner(long id, string path) =>
        id is >= 0 and <= uint.MaxValue ? (uint)id : throw new RepositoryException($"Owner {id} of \"{path}\" is out of range");

    private static uint TypeBits(TarEntryType type) => type switch
    {
        TarEntryType.Directory => ModeBits.Directory,
        TarEntryType.SymbolicLink => ModeBits.SymbolicLink,
        TarEntryType.CharacterDevice => ModeBits.CharacterDevice,
        TarEntryType.BlockDevice => ModeBits.BlockDevice,
        TarEntryType.Fifo => ModeBits.Fifo,
        _ => ModeBits.RegularFile,
    };

    private static string EntryPath(byte[] name, bool isDirectory, TarCommitOptions options)
    {
        string path = RelativePath(ToText(name, "filename"));
        // Archives have a slash at the end of a directory, and filters are written for that.
        if (options.TranslatePath != null)
            path = options.TranslatePath(isDirectory && path.Length > 0 ? path + "/" : path);
        path = path.Length > 1 ? path.TrimEnd('/') : path;
        // What a filter makes of a path is no more to be trusted than the path.
        RequireNoUplink(path);
        return path;
    }

    // Archives say "/x", "./x", "../x" or "././/x" for what is x in the tree.
    private static string RelativePath(string path)
    {
        int start = 0;
        while (At(path, start) == '/')
        {
            start++;
            if (path.AsSpan(start).StartsWith("../", StringComparison.Ordinal))
                start += 2;
        }
        while (true)
        {
            if (path.AsSpan(start).StartsWith("./", StringComparison.Ordinal))
                start += 2;
            else if (At(path, start) == '/')
                start++;
            else
                break;
        }
        path = path[start..];
        RequireNoUplink(path);
        return path == "." ? "" : path;

        static char At(string text, int index) => index < text.Length ? text[index] : '\0';
    }

    private static void RequireNoUplink(string path)
    {
        foreach (Range part in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(part) is "..")
                throw new RepositoryException($"Invalid uplink '..' in path {path}");
        }
    }

    private static string ToText(byte[] bytes, string what)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new RepositoryException($"Archive entry: invalid UTF-8 in {what} {Encoding.UTF8.GetString(bytes)}");
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private sealed class PendingFile(MutableTree parent, string name, FileHeader header)
    {
        public MutableTree Parent => parent;

        public string Name => name;

        public FileHeader Header => header;

        public Checksum Checksum { get; set; }

        public byte[]? Content { get; private set; }

        public int Size { get; private set; }

        public void Take(Stream source, int size)
        {
            Size = size;
            Content = ArrayPool<byte>.Shared.Rent(Math.Max(size, 1));
            source.ReadExactly(Content, 0, size);
        }

        public void ReleaseContent()
        {
            if (Content is { } content)
                ArrayPool<byte>.Shared.Return(content);
            Content = null;
        }
    }
}
