using System.Diagnostics.CodeAnalysis;

namespace OciOstree.Repository;

/// <summary>
/// A directory tree being put together in memory. What comes from a repository is read only where it is looked at or changed,
/// and <see cref="Write"/> serialises only the directories that changed: a union of image layers costs what the layers touch.
/// </summary>
/// <remarks>Not safe for use by several threads at once.</remarks>
public sealed partial class MutableTree
{
    private MutableTree? parent;

    // Where contents is to be read from; null once it was, or when there is nothing to read.
    private Repo? source;
    private Checksum? contents;
    private Checksum? metadata;
    private Dictionary<string, Checksum> files = Nothing<Checksum>.Instance;
    private Dictionary<string, MutableTree> directories = Nothing<MutableTree>.Instance;

    /// <summary>An empty directory without metadata.</summary>
    public MutableTree()
    {
    }

    private MutableTree(Repo source, Checksum tree, Checksum meta) => (this.source, contents, metadata) = (source, tree, meta);

    /// <summary>The checksum of the directory's own metadata object; null until it is set.</summary>
    public Checksum? Metadata
    {
        get => metadata;
        set
        {
            if (metadata == value)
                return;
            metadata = value;
            parent?.Invalidate();
        }
    }

    /// <summary>The checksum of the dirtree object with these contents; null if there was a change since it was read or written.</summary>
    public Checksum? Contents => contents;

    /// <summary>The files' names and objects, in no order.</summary>
    public IReadOnlyDictionary<string, Checksum> Files => Load().files;

    /// <summary>The subdirectories, in no order.</summary>
    public IReadOnlyDictionary<string, MutableTree> Directories => Load().directories;

    public bool IsEmpty => Load().files.Count == 0 && directories.Count == 0;

    /// <summary>The tree of a commit.</summary>
    public static MutableTree FromCommit(Repo repo, Checksum commit)
    {
        Commit value = repo.ReadCommit(commit);
        return FromTree(repo, value.RootTree, value.RootMeta);
    }

    /// <summary>A stored directory; nothing is read yet.</summary>
    public static MutableTree FromTree(Repo repo, Checksum tree, Checksum meta) => new(repo, tree, meta);

    public bool TryGetFile(string name, out Checksum checksum) => Load().files.TryGetValue(name, out checksum);

    public MutableTree? TryGetDirectory(string name) => Load().directories.GetValueOrDefault(name);

    /// <summary>Adds a file, or gives one another content.</summary>
    /// <exception cref="RepositoryException">There is a directory of that name, or the name is not one that a file can have.</exception>
    public void SetFile(string name, Checksum checksum)
    {
        DirTree.ValidateName(name);
        if (Load().directories.ContainsKey(name))
            throw new RepositoryException($"Can't replace directory with file: {name}");
        StoreFile(name, checksum);
    }

    /// <summary>Adds a file in the place of whatever was there.</summary>
    public void ReplaceWithFile(string name, Checksum checksum)
    {
        DirTree.ValidateName(name);
        if (Load().directories.Remove(name, out MutableTree? removed))
            removed.parent = null;
        StoreFile(name, checksum);
    }

    /// <summary>The subdirectory, made empty and without metadata if there is none.</summary>
    /// <exception cref="RepositoryException">There is a file of that name, or the name is not one that a directory can have.</exception>
    public MutableTree GetOrAddDirectory(string name)
    {
        DirTree.ValidateName(name);
        if (Load().directories.TryGetValue(name, out MutableTree? existing))
            return existing;
        if (files.ContainsKey(name))
            throw new RepositoryException($"Can't replace file with directory: {name}");
        return Attach(name, new MutableTree());
    }

    /// <summary>The subdirectory, made empty and without metadata if there is none; a file in its place is removed.</summary>
    public MutableTree ReplaceWithDirectory(string name)
    {
        DirTree.ValidateName(name);
        Load().files.Remove(name);
        return directories.TryGetValue(name, out MutableTree? existing) ? existing : Attach(name, new MutableTree());
    }

    /// <summary>Puts a stored directory in the place of whatever was there; nothing of it is read.</summary>
    public MutableTree ReplaceWithDirectory(string name, Repo repo, Checksum tree, Checksum meta)
    {
        DirTree.ValidateName(name);
        Remove(name);
        return Attach(name, new MutableTree(repo, tree, meta));
    }

    /// <summary>Removes a file or a subdirectory; false if there is none of that name.</summary>
    public bool Remove(string name)
    {
        bool removed = Load().files.Remove(name);
        if (directories.Remove(name, out MutableTree? directory))
        {
            directory.parent = null;
            removed = true;
        }
        if (removed)
            Invalidate();
        return removed;
    }

    /// <summary>Removes everything in the directory; its metadata stays.</summary>
    public void Clear()
    {
        foreach (MutableTree directory in directories.Values)
            directory.parent = null;
        source = null;
        files = Nothing<Checksum>.Instance;
        directories = Nothing<MutableTree>.Instance;
        Invalidate();
    }

    /// <summary>The directory at a path relative to this one (<c>usr/lib</c>; empty is this one); null if one of its names is missing or a file.</summary>
    public MutableTree? Walk(string path)
    {
        MutableTree? directory = this;
        foreach (Range part in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> name = path.AsSpan(part);
            if (name.IsEmpty)
                continue;
            directory = directory.TryGetDirectory(name.ToString());
            if (directory == null)
                return null;
        }
        return directory;
    }

    /// <summary>
    /// Gives back the room of a directory that is as it is stored, to be read again when it is looked at. Not of one with subdirectories: somebody may be changing
    /// those.
    /// </summary>
    public bool TryUnload(Repo repo)
    {
        if (source is not null || contents is null || directories.Count > 0)
            return false;
        source = repo;
        files = Nothing<Checksum>.Instance;
        return true;
    }

    /// <summary>Writes the dirtree objects of every directory that changed, the deepest first.</summary>
    /// <returns>The checksum of this directory's contents; its <see cref="Metadata"/> is the caller's to record.</returns>
    /// <exception cref="RepositoryException">A directory has no metadata.</exception>
    public Checksum Write(RepoTransaction transaction)
    {
        if (metadata == null)
            throw new RepositoryException("Can't commit an empty tree");
        if (contents is { } unchanged)
            return unchanged;
        using var writer = new DirTreeWriter(transaction);
        Checksum written = Serialize(writer, "/");
        writer.Finish();
        return written;
    }

    private Checksum Serialize(DirTreeWriter writer, string path)
    {
        if (contents is { } unchanged)
            return unchanged;
        TreeDepth.Check();
        var subdirectories = new DirTreeDirectory[directories.Count];
        int count = 0;
        foreach ((string name, MutableTree directory) in directories)
        {
            Checksum meta = directory.metadata ?? throw new RepositoryException($"Directory '{path}{name}' has no metadata");
            subdirectories[count++] = new DirTreeDirectory(name, directory.Serialize(writer, path + name + "/"), meta);
        }
        DirTree tree = DirTree.From(files.Select(static file => new DirTreeFile(file.Key, file.Value)), subdirectories);
        Checksum written = writer.Add(tree);
        contents = written;
        return written;
    }

    private MutableTree Load()
    {
        if (source is { } repo)
        {
            DirTree tree = repo.ReadDirTree(contents!.Value);
            files = new Dictionary<string, Checksum>(tree.Files.Count, StringComparer.Ordinal);
            directories = new Dictionary<string, MutableTree>(tree.Directories.Count, StringComparer.Ordinal);
            foreach (DirTreeFile file in tree.Files)
                files.Add(file.Name, file.Checksum);
            foreach (DirTreeDirectory directory in tree.Directories)
                directories.Add(directory.Name, new MutableTree(repo, directory.Tree, directory.Meta) { parent = this });
            source = null;
        }
        return this;
    }

    private void StoreFile(string name, Checksum checksum)
    {
        if (files.TryGetValue(name, out Checksum existing) && existing == checksum)
            return;
        if (ReferenceEquals(files, Nothing<Checksum>.Instance))
            files = new Dictionary<string, Checksum>(StringComparer.Ordinal);
        files[name] = checksum;
        Invalidate();
    }

    private MutableTree Attach(string name, MutableTree directory)
    {
        if (ReferenceEquals(directories, Nothing<MutableTree>.Instance))
            directories = new Dictionary<string, MutableTree>(StringComparer.Ordinal);
        directory.parent = this;
        directories.Add(name, directory);
        Invalidate();
        return directory;
    }

    // A directory whose checksum is not known has no ancestor whose checksum is: the way up ends at the first.
    private void Invalidate()
    {
        for (MutableTree? tree = this; tree is { contents: not null }; tree = tree.parent)
        {
            tree.Load();
            tree.contents = null;
        }
    }

    // What most directories' lists are at first. Nothing is ever added to them: StoreFile and Attach replace them before.
    private static class Nothing<T>
    {
        [SuppressMessage("Performance", "CA1825", Justification = "Shared on purpose.")]
        public static readonly Dictionary<string, T> Instance = new(0, StringComparer.Ordinal);
    }
}
