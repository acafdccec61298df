using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A repository elsewhere, as the group <c>[remote "NAME"]</c> describes it.</summary>
public sealed class Remote
{
    private readonly KeyFile config;
    private readonly string group;

    private Remote(string name, KeyFile config) => (Name, this.config, group) = (name, config, Group(name));

    /// <summary>What refs and keys are kept under.</summary>
    public string Name { get; }

    /// <summary>The name that its summary is kept under in the cache; null for a place that is only known for now.</summary>
    internal string? CacheName { get; private init; }

    /// <summary>The collection that its refs belong to, null if it is configured with none.</summary>
    /// <exception cref="RepositoryException">The configured ID is none that a collection can have.</exception>
    public string? CollectionId
    {
        get
        {
            if (Get("collection-id") is not { Length: > 0 } id)
                return null;
            RefName.ValidateCollectionId(id);
            return id;
        }
    }

    /// <summary>The group's name in a keyfile.</summary>
    public static string Group(string name) => $"remote \"{name}\"";

    /// <summary>Finds a remote in a repository's configuration, its parents', or for the system's repository in <c>/etc/ostree/remotes.d</c>.</summary>
    /// <exception cref="RepositoryException">There is none of that name.</exception>
    public static Remote Find(Repo repo, string name)
    {
        RefName.ValidateRemote(name);
        for (Repo? at = repo; at is not null; at = at.Parent)
            foreach (KeyFile file in Files(at))
                if (file.HasGroup(Group(name)))
                    return new Remote(name, file) { CacheName = name };
        throw new RepositoryException($"Remote \"{name}\" not found");
    }

    /// <summary>All remotes that <see cref="Find"/> would find, by name.</summary>
    public static IReadOnlyList<Remote> All(Repo repo)
    {
        SortedDictionary<string, Remote> remotes = new(StringComparer.Ordinal);
        for (Repo? at = repo; at is not null; at = at.Parent)
            foreach (KeyFile file in Files(at))
                foreach (string group in file.Groups)
                    if (group.StartsWith("remote \"", StringComparison.Ordinal) && group.EndsWith('"') && group.Length > "remote \"\"".Length
                        && group["remote \"".Length..^1] is var name && RefName.IsValidFragment(name))
                        remotes.TryAdd(name, new Remote(name, file) { CacheName = name });
        return [.. remotes.Values];
    }

    /// <summary>This remote with some keys set otherwise: the same name and keys to trust, perhaps at another place.</summary>
    internal Remote With(bool elsewhere, params ReadOnlySpan<(string Key, string Value)> changes)
    {
        KeyFile changed = new();
        foreach (string key in config.Keys(group))
            if (!elsewhere || key is not ("url" or "contenturl" or "metalink" or "proxy" or "branches" or "unconfigured-state" or "custom-backend"))
                changed.SetValue(group, key, config.GetValue(group, key)!);
        foreach ((string key, string value) in changes)
            changed.SetString(group, key, value);
        return new Remote(Name, changed) { CacheName = elsewhere ? null : CacheName };
    }

    private static IEnumerable<KeyFile> Files(Repo repo)
    {
        yield return repo.Config;
        FileStatus own = repo.Root.Status();
        if (Linux.Files.TryStatus("/ostree/repo") is not { } system || (system.Device, system.Inode) != (own.Device, own.Inode))
            yield break;
        using LinuxDirectory? directory = LinuxDirectory.TryOpen("/etc/ostree/remotes.d");
        foreach (DirectoryEntry entry in directory?.ReadEntries().OrderBy(entry => entry.Name, StringComparer.Ordinal) ?? Enumerable.Empty<DirectoryEntry>())
        {
            if (!entry.Name.EndsWith(".conf", StringComparison.Ordinal) || directory!.TryReadAllBytes(entry.Name, 16 << 20) is not { } bytes)
                continue;
            KeyFile parsed;
            try
            {
                parsed = KeyFile.Parse(bytes);
            }
            catch (FormatException e)
            {
                throw new RepositoryException($"Failed to parse /etc/ostree/remotes.d/{entry.Name}", e);
            }
            yield return parsed;
        }
    }

    /// <summary>A value of the group, null if it is not set.</summary>
    public string? Get(string key) => config.GetString(group, key);

    /// <summary>A boolean of the group.</summary>
    /// <exception cref="RepositoryException">The value is none.</exception>
    public bool Flag(string key, bool otherwise)
    {
        try
        {
            return config.GetBoolean(group, key) ?? otherwise;
        }
        catch (FormatException e)
        {
            throw new RepositoryException($"Reading {key} of remote \"{Name}\"", e);
        }
    }

    /// <summary>A list of the group, null if it is not set.</summary>
    public string[]? List(string key) => config.GetStringList(group, key);

    /// <summary>Whether commits must carry an OpenPGP signature by a key that this remote is trusted by; unless told otherwise they must.</summary>
    public bool VerifiesCommits => Flag("gpg-verify", true);

    /// <summary>Whether the summary must carry such a signature.</summary>
    public bool VerifiesSummary => Flag("gpg-verify-summary", false);
}
