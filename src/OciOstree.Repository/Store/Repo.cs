using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// A repository on disk. Reading is safe from many threads; writing goes through a <see cref="RepoTransaction"/>, except for the
/// few things that delete or repair (prune, fsck).
/// </summary>
public sealed partial class Repo : IDisposable
{
    private readonly LinuxDirectory objects;
    private RepoSettings settings;

    // Staging directories of running transactions of this instance: what they hold can be read before it is committed.
    private readonly Lock stagesLock = new();
    private volatile StagingDirectory[] stages = [];

    private Repo(LinuxDirectory root, LinuxDirectory objects, string path, int depth)
    {
        (Root, this.objects, Path) = (root, objects, path);
        FileStatus status = objects.Status();
        (Device, OwnerUid, DirectoryMode) = (status.Device, status.Uid, status.Permissions & 0x3FF);
        Config = ReadConfig();
        settings = RepoSettings.Read(Config);
        Locking = new RepoLock(this);
        if (settings.ParentPath is not { } parent)
            return;
        // A parent that names its child would otherwise be followed for ever.
        if (depth > 16)
            throw new RepositoryException($"Repository '{path}' has too many parents");
        try
        {
            Parent = Open(parent, depth + 1);
        }
        catch (Exception e) when (e is RepositoryException or LinuxException)
        {
            throw new RepositoryException($"While checking parent repository '{parent}'", e);
        }
    }

    public LinuxDirectory Root { get; }

    /// <summary>The path the repository was opened by, for messages.</summary>
    public string Path { get; }

    public RepoMode Mode => settings.Mode;

    /// <summary>The <c>config</c> keyfile as it was read; <see cref="WriteConfig"/> stores a changed one.</summary>
    public KeyFile Config { get; private set; }

    public RepoSettings Settings => settings;

    /// <summary>The repository named by <c>core.parent</c>, where objects and refs that are not here are looked for.</summary>
    public Repo? Parent { get; }

    /// <summary>The lock that writers share and deleters hold alone.</summary>
    public RepoLock Locking { get; }

    internal LinuxDirectory Objects => objects;

    internal ulong Device { get; }

    internal uint OwnerUid { get; }

    /// <summary>Permissions for new object directories: those of <c>objects/</c>, so that a repository that a group shares stays shared.</summary>
    internal uint DirectoryMode { get; }

    /// <summary>Opens an existing repository, and its parents.</summary>
    /// <exception cref="RepositoryException">There is none, or its configuration is not understood.</exception>
    public static Repo Open(string path) => Open(path, 0);

    private static Repo Open(string path, int depth)
    {
        LinuxDirectory? root = null, objects = null;
        try
        {
            root = LinuxDirectory.Open(path);
            objects = root.OpenDirectory("objects", followLinks: true);
            RestoreTemporaryDirectory(root);
            return new Repo(root, objects, path, depth);
        }
        catch (Exception e)
        {
            objects?.Dispose();
            root?.Dispose();
            if (e is LinuxException or FormatException)
                throw new RepositoryException($"Opening repository '{path}'", e);
            throw;
        }
    }

    // People delete tmp/ as a whole when they look for free space. Where it cannot be made nothing will be written either.
    private static void RestoreTemporaryDirectory(LinuxDirectory root)
    {
        try
        {
            if (!root.Exists("tmp"))
                root.TryMakeDirectory("tmp", 0x1ED);
        }
        catch (LinuxException e) when (e.Errno is Errno.EROFS or Errno.EACCES or Errno.EPERM)
        {
            return;
        }
    }

    /// <summary>
    /// Makes a repository, or opens the one that is there already, whatever its mode: as in ostree, <c>objects/</c> is made last
    /// and its presence means that all is done.
    /// </summary>
    /// <param name="collectionId">Written as <c>core.collection-id</c> if not null.</param>
    public static Repo Create(string path, RepoMode mode, string? collectionId = null)
    {
        try
        {
            string full = System.IO.Path.GetFullPath(path);
            using LinuxDirectory parent = LinuxDirectory.Open(System.IO.Path.GetDirectoryName(full.TrimEnd('/')) is { Length: > 0 } directory ? directory : "/");
            string name = System.IO.Path.GetFileName(full.TrimEnd('/'));
            if (name.Length > 0)
                parent.TryMakeDirectory(name, 0x1ED);
            using LinuxDirectory root = LinuxDirectory.Open(path);
            Create(root, mode, collectionId);
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"Creating repository '{path}'", e);
        }
        return Open(path);
    }

    private static void Create(LinuxDirectory root, RepoMode mode, string? collectionId)
    {
        if (root.Exists("objects"))
            return;
        if (collectionId is not null)
            RefName.ValidateCollectionId(collectionId);
        if (mode == RepoMode.BareUser)
            ProbeUserXattrs(root);
        if (!root.Exists("config"))
        {
            string config = $"[core]\nrepo_version=1\nmode={mode.ConfigWord()}\n" + (collectionId is null ? "" : $"collection-id={collectionId}\n");
            root.ReplaceFile("config", System.Text.Encoding.UTF8.GetBytes(config), 0x1A4, sync: true);
        }
        foreach (string directory in (ReadOnlySpan<string>)["tmp", "extensions", "state", "refs", "refs/heads", "refs/mirrors", "refs/remotes", "objects"])
            root.TryMakeDirectory(directory, 0x1ED);
    }

    // Better an error now than at the first object.
    private static void ProbeUserXattrs(LinuxDirectory root)
    {
        using TemporaryFile probe = root.CreateTemporaryFile();
        Xattrs.Set(probe.Handle, BareUserMetadata, DirMeta.Serialize(0, 0, 0x81A4, XattrSet.Empty));
    }

    private KeyFile ReadConfig()
    {
        try
        {
            return KeyFile.Parse(Root.ReadAllBytes("config", 16 << 20));
        }
        catch (FormatException e)
        {
            throw new RepositoryException($"Couldn't parse config file of repository '{Path}'", e);
        }
    }

    /// <summary>Stores a changed configuration and takes it up. The mode of a repository with objects cannot change.</summary>
    public void WriteConfig(KeyFile config)
    {
        // What cannot be read back must not be written: it would lock the user out of the repository.
        RepoSettings changed = RepoSettings.Read(config);
        Root.ReplaceFile("config", config.Serialize(), 0x1A4, sync: settings.Fsync);
        (Config, settings) = (config, changed);
    }

    /// <summary>Takes up a configuration that another process wrote.</summary>
    public void ReloadConfig()
    {
        KeyFile config = ReadConfig();
        (Config, settings) = (config, RepoSettings.Read(config));
    }

    /// <summary>Overrides <c>core.fsync</c> for this instance.</summary>
    public void DisableFsync() => settings = settings with { Fsync = false };

    /// <summary>Overrides <c>core.per-object-fsync</c> for this instance.</summary>
    public void EnablePerObjectFsync() => settings = settings with { PerObjectFsync = true };

    /// <summary>Starts a transaction; it holds the shared lock until it is committed or disposed.</summary>
    public RepoTransaction BeginTransaction() => new(this);

    internal void AddStage(StagingDirectory stage)
    {
        lock (stagesLock)
            stages = [.. stages, stage];
    }

    internal void RemoveStage(StagingDirectory stage)
    {
        lock (stagesLock)
            stages = [.. stages.Where(other => other != stage)];
    }

    public void Dispose()
    {
        Locking.Dispose();
        objects.Dispose();
        Root.Dispose();
        Parent?.Dispose();
    }
}
