using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>
/// Where remotes are configured: in the repository's <c>config</c>, and on a running system (or a root that looks like one) in
/// <c>/etc/ostree/remotes.d/NAME.conf</c>, where the machine's administrator can see and keep them.
/// </summary>
internal sealed class RemoteStore
{
    private const string Prefix = "remote \"";

    private readonly Repo repo;
    private readonly string? directory;
    // By name; those of the parent count too, as its objects do.
    private readonly SortedDictionary<string, (KeyFile File, string? Path, Repo Owner)> remotes = new(StringComparer.Ordinal);

    /// <param name="root">The root whose <c>etc</c> has remotes, or null.</param>
    public RemoteStore(Repo repo, string? root)
    {
        this.repo = repo;
        directory = root is null ? null : Path.Combine(root, "etc/ostree/remotes.d");
        for (Repo? at = repo; at is not null; at = at.Parent)
            AddAll(at.Config, null, at);
        if (directory is null || !Directory.Exists(directory))
            return;
        foreach (string path in Directory.EnumerateFiles(directory, "*.conf").Order(StringComparer.Ordinal))
            AddAll(KeyFile.Parse(Files.ReadNamed(path)), path, repo);
    }

    /// <summary>The repository that the remotes are for.</summary>
    public Repo Repo => repo;

    public IEnumerable<string> Names => remotes.Keys;

    public static string Section(string name) => $"{Prefix}{name}\"";

    /// <summary>Of the options and words of a verb about remotes.</summary>
    public static RemoteStore Of(OstreeCall call)
    {
        if (call.Get(SysrootOption.Sysroot) is { } sysroot)
            return new RemoteStore(SysrootOption.Open(call), Directory.Exists(Path.Combine(sysroot, "sysroot/ostree")) ? sysroot : null);
        bool system = Path.GetFullPath(call.Repo.Path) is "/ostree/repo" or "/sysroot/ostree/repo";
        return new RemoteStore(call.Repo, system ? "/" : null);
    }

    public bool Contains(string name) => remotes.TryGetValue(name, out var remote) && remote.Owner == repo;

    /// <summary>Where a remote is configured, for messages.</summary>
    public string PlaceOf(string name) => remotes[name].Path ?? "(in config)";

    /// <summary>The keyfile with a remote's group.</summary>
    /// <exception cref="RepositoryException">There is no such remote.</exception>
    public KeyFile ConfigOf(string name)
    {
        RefName.ValidateRemote(name);
        return remotes.TryGetValue(name, out var remote) ? remote.File : throw new RepositoryException($"Remote \"{name}\" not found");
    }

    /// <exception cref="RepositoryException">There is no such remote, or it has no URL.</exception>
    public string Url(string name)
    {
        if (name.StartsWith("file://", StringComparison.Ordinal))
            return name;
        return ConfigOf(name).GetString(Section(name), "url") ?? throw new RepositoryException($"No \"url\" option in remote \"{name}\"");
    }

    /// <summary>The URL, or what there is instead, as <c>remote add</c> takes it.</summary>
    public string Place(string name) => ConfigOf(name).GetString(Section(name), "metalink") is { } metalink ? $"metalink={metalink}" : Url(name);

    /// <summary>Adds or replaces a remote; <paramref name="fill"/> sets its keys.</summary>
    public void Write(string name, Action<KeyFile> fill)
    {
        string? path = Contains(name) ? remotes[name].Path : directory is not null && (repo.Config.GetBoolean("core", "add-remotes-config-dir") ?? true) ? Path.Combine(directory, name + ".conf") : null;
        KeyFile file = path is null ? repo.Config.Clone() : new KeyFile();
        file.RemoveGroup(Section(name));
        fill(file);
        if (path is null)
        {
            repo.WriteConfig(file);
            return;
        }
        Directory.CreateDirectory(directory!);
        using LinuxDirectory target = LinuxDirectory.Open(directory!);
        target.ReplaceFile(name + ".conf", file.Serialize(), 0x1A4, sync: true);
    }

    public void Delete(string name)
    {
        if (remotes[name].Path is { } path)
        {
            File.Delete(path);
        }
        else
        {
            KeyFile config = repo.Config.Clone();
            config.RemoveGroup(Section(name));
            repo.WriteConfig(config);
        }
        repo.Root.TryUnlink($"{name}.trustedkeys.gpg");
        repo.Root.TryUnlink($"{name}.cookies.txt");
    }

    private void AddAll(KeyFile file, string? path, Repo owner)
    {
        foreach (string group in file.Groups)
        {
            if (group.StartsWith(Prefix, StringComparison.Ordinal) && group.EndsWith('"') && group.Length > Prefix.Length + 1)
                remotes.TryAdd(group[Prefix.Length..^1], (file, path, owner));
        }
    }
}
