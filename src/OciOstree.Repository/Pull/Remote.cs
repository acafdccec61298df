using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>A repository elsewhere, as the group <c>[remote "NAME"]</c> describes it.</summary>
public sealed class Remote
{
    private readonly KeyFile config;
    private readonly string group;

    private Remote(string name, KeyFile config) => (Name, this.config, group) = (name, config, Group(name));

    public string Name { get; }

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
                    return new Remote(name, file);
        throw new RepositoryException($"Remote \"{name}\" not found");
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

    /// <summary>Whether signatures of another kind are asked for, by <c>sign-verify</c>.</summary>
    public bool WantsOtherSignatures => Get("sign-verify") is { } kinds && kinds != "false" || Get("sign-verify-summary") is { } summary && summary != "false";
}
