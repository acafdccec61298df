using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// One checkout. This thread walks the tree and makes the directories; their files are linked or copied on all processors, a directory's
/// together by one thread, since threads in one directory would wait for each other in the kernel.
/// </summary>
internal sealed partial class CheckoutRun : IDisposable
{
    private const string PassthroughPrefix = ".ostree-wh.";
    private const int BatchSize = 128, QueuedBatches = 64;

    private readonly Repo repo;
    private readonly CheckoutOptions options;
    private readonly CancellationToken cancellation;
    private readonly bool userMode;
    private readonly string labelPrefix;
    private readonly UncompressedCache? cache;
    private readonly WorkQueue<FileBatch> queue;
    private LinuxDirectory? root;
    private volatile bool failed;

    public CheckoutRun(Repo repo, CheckoutOptions options, CancellationToken cancellation)
    {
        (this.repo, this.options, this.cancellation) = (repo, options, cancellation);
        userMode = options.UserMode || repo.Mode == RepoMode.BareUserOnly;
        labelPrefix = (options.LabelPrefix ?? options.Subpath ?? "").TrimEnd('/');
        if (options.UncompressedCache && userMode && !options.ForceCopy)
            cache = UncompressedCache.TryOpen(repo);
        queue = new WorkQueue<FileBatch>("checkout", QueuedBatches, CheckOutBatch, static batch => batch.Directory.Release());
    }

    public void CheckOutTree(LinuxDirectory parent, string name, Checksum tree, Checksum meta)
    {
        try
        {
            Walk(parent, name, tree, meta, "/", null);
            queue.Finish();
            cache?.Finish();
        }
        catch
        {
            failed = true;
            throw;
        }
    }

    /// <summary>A single file goes into a directory of the given name, except that <c>.</c> is there already.</summary>
    public void CheckOutOneFile(LinuxDirectory parent, string name, string fileName, Checksum checksum)
    {
        if (name != ".")
            parent.TryMakeDirectory(name, 0x1C0);
        using LinuxDirectory directory = parent.OpenDirectory(name, followLinks: true);
        CheckOutFile(directory, new DirTreeFile(fileName, checksum), "/", existed: true);
        cache?.Finish();
    }

    public void Dispose()
    {
        if (queue.IsUnfinished)
            failed = true;
        queue.Dispose();
        cache?.Dispose();
    }

    private void Walk(LinuxDirectory parent, string name, Checksum treeChecksum, Checksum metaChecksum, string path, CheckoutDirectory? parentDirectory)
    {
        cancellation.ThrowIfCancellationRequested();
        TreeDepth.Check();
        if (options.Filter?.Invoke(path) == false)
            return;
        DirTree tree = repo.ReadDirTree(treeChecksum);
        DirMeta meta = repo.ReadDirMeta(metaChecksum);
        if (options.Whiteouts)
            ClearWay(parent, name, tree);

        bool made = parent.TryMakeDirectory(name, 0x1C0);
        if (!made && options.Overwrite == OverwriteMode.None)
            throw new LinuxException(Errno.EEXIST, "mkdirat", parent.PathOf(name));
        LinuxDirectory open = Open(parent, name, path, made);
        root ??= open;
        parentDirectory?.Retain();
        var directory = new CheckoutDirectory(this, parentDirectory, open, meta, !made, path);
        // No handler that throws again: in a deep tree each of them would take more of the stack than the walk itself did.
        bool isDone = false;
        try
        {
            if (options.RequireHardLinks && open.Status().Device != repo.Device)
                throw new RepositoryException($"Unable to do hardlink checkout across devices (src={repo.Device} destination={open.Status().Device})");
            if (made)
                SetXattrs(open, meta, path);
            if (options.Whiteouts)
                RemoveWhitedOut(open, tree);
            EnqueueFiles(directory, tree);
            foreach (DirTreeDirectory subdirectory in tree.Directories)
                Walk(open, subdirectory.Name, subdirectory.Tree, subdirectory.Meta, path + subdirectory.Name + "/", directory);
            isDone = true;
        }
        finally
        {
            if (!isDone)
                failed = true;
            directory.Release();
        }
    }

    // A directory of the destination may be reached through a link, as long as that does not lead out of what is checked out into.
    private LinuxDirectory Open(LinuxDirectory parent, string name, string path, bool made)
    {
        if (root == null)
            return parent.OpenDirectory(name, followLinks: true);
        if (made)
            return parent.OpenDirectory(name);
        return root.TryOpenDirectoryInRoot(path.Trim('/')) ?? throw new LinuxException(Errno.ENOTDIR, "open", parent.PathOf(name));
    }

    private void ClearWay(LinuxDirectory parent, string name, DirTree tree)
    {
        if (tree.TryGetFile(Whiteout.Opaque, out Checksum opaque) && IsWhiteout(new DirTreeFile(Whiteout.Opaque, opaque)))
            parent.RemoveTree(name);
        else if (options.Overwrite == OverwriteMode.Union && parent.TryStatus(name) is { IsDirectory: false })
            parent.RemoveTree(name);
    }

    // Before any other name of the directory: a layer may remove a name and make it anew.
    private void RemoveWhitedOut(LinuxDirectory directory, DirTree tree)
    {
        foreach (DirTreeFile file in tree.Files)
        {
            if (file.Name == Whiteout.Opaque || !IsWhiteout(file))
                continue;
            string hidden = file.Name[Whiteout.Prefix.Length..];
            if (hidden.Length == 0 || hidden is "." or "..")
                throw new RepositoryException($"Invalid empty whiteout '{file.Name}'");
            directory.RemoveTree(hidden);
        }
    }

    // A link of such a name is a link.
    private bool IsWhiteout(DirTreeFile file) => file.Name.StartsWith(Whiteout.Prefix, StringComparison.Ordinal) && !repo.ReadFileHeader(file.Checksum, out _).IsSymlink;

    private void EnqueueFiles(CheckoutDirectory directory, DirTree tree)
    {
        var files = new List<DirTreeFile>(Math.Min(BatchSize, tree.Files.Count));
        foreach (DirTreeFile file in tree.Files)
        {
            if (options.Whiteouts && IsWhiteout(file))
                continue;
            if (options.Filter?.Invoke(directory.Path + file.Name) == false)
                continue;
            files.Add(file);
            if (files.Count == BatchSize)
            {
                Enqueue(directory, files);
                files = new List<DirTreeFile>(BatchSize);
            }
        }
        if (files.Count > 0)
            Enqueue(directory, files);
    }

    private void Enqueue(CheckoutDirectory directory, List<DirTreeFile> files)
    {
        directory.Retain();
        queue.Add(new FileBatch(directory, files));
    }

    private void CheckOutBatch(FileBatch batch)
    {
        try
        {
            foreach (DirTreeFile file in batch.Files)
            {
                cancellation.ThrowIfCancellationRequested();
                CheckOutFile(batch.Directory.Open, file, batch.Directory.Path, batch.Directory.Existed);
            }
        }
        catch
        {
            failed = true;
            throw;
        }
        finally
        {
            batch.Directory.Release();
        }
    }

    private void SetXattrs(LinuxDirectory directory, DirMeta meta, string path)
    {
        if (userMode)
            return;
        foreach (Xattr xattr in XattrsOf(path[..^1], meta.Mode, meta.Xattrs))
            Xattrs.Set(directory.Handle, xattr.Name, xattr.Value, directory.Path);
    }

    // Mode and owner come last, so that nobody else can get into a directory that is not whole.
    internal void FinishDirectory(LinuxDirectory directory, DirMeta meta, bool existed)
    {
        if (failed || existed)
        {
            if (!failed && options.Fsync)
                directory.Sync();
            return;
        }
        if (!userMode)
            Files.SetOwner(directory.Handle, meta.Uid, meta.Gid, directory.Path);
        uint permissions = meta.Mode & ModeBits.PermissionMask;
        Files.SetMode(directory.Handle, repo.Mode == RepoMode.BareUserOnly || options.BareUserOnlyDirectories ? permissions & 0x1FD : permissions, directory.Path);
        // The same for every checkout; copies are for changing, mostly an /etc, and have the time they were made.
        if (!options.ForceCopy)
            Files.SetModified(directory.Handle, 0, 0, directory.Path);
        if (options.Fsync)
            directory.Sync();
    }

    // The xattrs that a path gets: with the policy's label in the place of the commit's.
    private IEnumerable<Xattr> XattrsOf(string path, uint mode, XattrSet xattrs)
    {
        if (options.Labeler == null)
            return xattrs.Items;
        path = labelPrefix + path;
        return (options.Labeler(path.Length == 0 ? "/" : path, mode) is { } label ? xattrs.WithLabel(label) : xattrs).Items;
    }

    private sealed record FileBatch(CheckoutDirectory Directory, List<DirTreeFile> Files);
}
