using OciOstree.Formats.GVariant;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Sysroot;

/// <summary>
/// A system root that holds an ostree repository, stateroots and their deployments, and the boot entries that lead to them.
/// Not thread-safe. Opened for changes it holds the sysroot's lock until disposed.
/// </summary>
/// <remarks>
/// Elsewhere in <c>OciOstree</c> the name <c>Sysroot</c> alone means this namespace: write <c>Sysroot.Sysroot</c> there.
/// </remarks>
public sealed partial class Sysroot : IDisposable
{
    private const uint DirectoryMode = 0x1ED /* 0755 */;
    private const uint PrivateDirectoryMode = 0x1C0 /* 0700 */;
    private const long FatFileSystem = 0x4D44; // of statfs(2)

    private readonly SysrootOptions options;
    private readonly SysrootDebug debug = SysrootDebug.FromEnvironment();
    private readonly FileStatus runningRoot;
    private readonly Variant? bootedMetadata;
    private FileLock? writeLock;
    private LinuxDirectory? boot;
    private List<Deployment> deployments = [];

    private Sysroot(string path, SysrootOptions options)
    {
        this.options = options;
        Path = path;
        try
        {
            Root = LinuxDirectory.Open(path);
            runningRoot = Files.TryStatus(options.RunningRoot) ?? default;
            byte[]? booted = ReadRuntime("ostree-booted");
            IsBooted = booted is not null && Root.Status().IsSameFile(runningRoot);
            bootedMetadata = IsBooted ? Variant.FromBytes("a{sv}", booted) : null;
            OstreeDirectory = Root.OpenDirectory("ostree", followLinks: true);
            if (!options.ReadOnly)
            {
                writeLock = AcquireLock();
            }
            Repo = Repo.Open(Join(path, "ostree/repo"));
            RequireOneFileSystem();
            Settings = SysrootSettings.From(Repo.Config);
            Reload();
        }
        catch (Exception e) when (e is LinuxException or RepositoryException or FormatException)
        {
            Dispose();
            throw new SysrootException($"Opening the sysroot {path}", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>As it was given to <see cref="Open"/>.</summary>
    public string Path { get; }

    public Repo Repo { get; private set; } = null!;

    /// <summary>Whether this is the root of the running system, and that was booted by ostree.</summary>
    public bool IsBooted { get; }

    /// <summary>In boot order: the first boots by default, a staged one stands before it.</summary>
    public IReadOnlyList<Deployment> Deployments => deployments;

    /// <summary>The deployment that the running system was booted from; null for any other sysroot.</summary>
    public Deployment? Booted { get; private set; }

    /// <summary>How the running root is mounted; null for any other sysroot.</summary>
    public BootedRoot? BootedRoot => bootedMetadata is { } recorded ? BootedRoot.From(recorded) : null;

    /// <summary>The deployment that shutdown will finalise.</summary>
    public Deployment? Staged { get; private set; }

    /// <summary>Which of <c>loader.0</c> and <c>loader.1</c> is current.</summary>
    public int BootVersion { get; private set; }

    /// <summary>Which of <c>ostree/boot.N.0</c> and <c>ostree/boot.N.1</c> is current.</summary>
    public int SubBootVersion { get; private set; }

    /// <summary>The sysroot itself.</summary>
    public LinuxDirectory Root { get; } = null!;

    internal SysrootSettings Settings { get; } = null!;

    internal LinuxDirectory OstreeDirectory { get; } = null!;

    /// <summary>The file system that boot loaders read.</summary>
    /// <exception cref="SysrootException">There is none, or it cannot hold symbolic links.</exception>
    internal LinuxDirectory BootDirectory => TryOpenBoot() ?? throw new SysrootException($"There is no {Join(Path, "boot")}");

    /// <summary>Opens a sysroot, <c>/</c> being the running system's, and waits for its lock.</summary>
    /// <exception cref="SysrootException">It is none, or its boot entries and links do not fit together.</exception>
    public static Sysroot Open(string path, SysrootOptions? options = null) => new(path, options ?? new SysrootOptions());

    /// <summary>The sysroot that ostree works on by default: <c>OSTREE_SYSROOT</c>, else <c>/</c>.</summary>
    public static string DefaultPath => Environment.GetEnvironmentVariable("OSTREE_SYSROOT") is { Length: > 0 } path ? path : "/";

    public void Dispose()
    {
        Repo?.Dispose();
        boot?.Dispose();
        writeLock?.Dispose();
        OstreeDirectory?.Dispose();
        Root?.Dispose();
    }

    /// <summary>The directory of a deployment's root.</summary>
    public LinuxDirectory OpenDeployment(Deployment deployment) => Root.OpenDirectory(deployment.Path, followLinks: true);

    /// <summary>A deployment's root as a path that works in this process.</summary>
    public string PathOf(Deployment deployment) => Join(Path, deployment.Path);

    /// <summary>The root of the running system.</summary>
    internal string RunningRoot => options.RunningRoot;

    private static string Join(string path, string relative) => path.EndsWith('/') ? path + relative : $"{path}/{relative}";

    private void Tell(string message) => options.Message?.Invoke(message);

    private void Warn(string message) => options.Warning?.Invoke(message);

    private string RuntimePath(string name) => Join(options.RuntimeDirectory, name);

    private byte[]? ReadRuntime(string name)
    {
        using LinuxDirectory? directory = LinuxDirectory.TryOpen(options.RuntimeDirectory);
        return directory?.TryReadAllBytes(name, 16 << 20);
    }

    private LinuxDirectory OpenRuntime() => LinuxDirectory.Open(options.RuntimeDirectory);

    private FileLock AcquireLock()
    {
        if (FileLock.TryAcquire(OstreeDirectory, "lock", LockKind.Exclusive, removeOnRelease: true) is { } free)
        {
            return free;
        }
        while (true)
        {
            options.WaitingForLock?.Invoke();
            try
            {
                return FileLock.Acquire(OstreeDirectory, "lock", LockKind.Exclusive, TimeSpan.FromSeconds(3), removeOnRelease: true);
            }
            catch (LinuxException e) when (e.Errno == Errno.ETIMEDOUT)
            {
                continue;
            }
        }
    }

    private LinuxDirectory? TryOpenBoot()
    {
        if (this.boot is null && Root.TryOpenDirectory("boot", followLinks: true) is { } boot)
        {
            if (boot.FileSystemType() == FatFileSystem)
            {
                boot.Dispose();
                throw new SysrootException("/boot cannot currently be a vfat filesystem");
            }
            this.boot = boot;
        }
        return this.boot;
    }

    /// <summary>Deployments are hard links to the repository's objects.</summary>
    private void RequireOneFileSystem()
    {
        if (OstreeDirectory.Status().Device != Repo.Root.Status().Device)
        {
            throw new SysrootException("ostree/repo is on another file system than ostree/, which deployments as hard links cannot cross");
        }
    }

    /// <summary>Lets those who watch <c>ostree/deploy</c> know that something changed.</summary>
    private void Touch()
    {
        FaultPoint.Before("touch ostree/deploy");
        DateTimeOffset now = DateTimeOffset.UtcNow;
        OstreeDirectory.SetModified("deploy", now.ToUnixTimeSeconds(), (uint)(now.Ticks % TimeSpan.TicksPerSecond) * 100);
    }
}
