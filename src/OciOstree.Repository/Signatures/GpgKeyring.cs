using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// OpenPGP keys that are trusted, as files for gpg. A remote's are <c>NAME.trustedkeys.gpg</c> beside the configuration and what its
/// <c>gpgkeypath</c> names; the system's, in <c>/usr/share/ostree/trusted.gpg.d</c> or <c>OSTREE_GPG_HOME</c>, count only where a remote has none.
/// </summary>
public sealed class GpgKeyring
{
    private const long MaxSize = 16 << 20;

    private readonly List<byte[]> rings = [];

    private GpgKeyring()
    {
    }

    /// <summary>The system's keys.</summary>
    public static GpgKeyring System()
    {
        var keys = new GpgKeyring();
        keys.AddSystem();
        return keys;
    }

    /// <summary>The keys that signatures of a remote are checked with.</summary>
    /// <exception cref="RepositoryException">A key file that is configured cannot be read.</exception>
    public static GpgKeyring Of(Repo repo, Remote remote)
    {
        GpgKeyring keys = OwnedBy(repo, remote, out bool hasOwn);
        if (!hasOwn)
            keys.AddSystem();
        return keys;
    }

    /// <summary>The keys that are a remote's own.</summary>
    /// <inheritdoc cref="Of"/>
    public static GpgKeyring OwnedBy(Repo repo, Remote remote) => OwnedBy(repo, remote, out _);

    /// <summary>The keys of all remotes, the system's, and those of a home of gpg: for telling who signed, not for trusting.</summary>
    public static GpgKeyring Everybody(Repo repo, string? gpgHome)
    {
        var keys = new GpgKeyring();
        keys.AddRings(repo.Path);
        keys.AddSystem();
        if (gpgHome is not null)
        {
            if (!Directory.Exists(gpgHome))
                throw new RepositoryException($"opendir({gpgHome}): No such file or directory");
            keys.AddRings(gpgHome);
        }
        return keys;
    }

    private static GpgKeyring OwnedBy(Repo repo, Remote remote, out bool hasOwn)
    {
        var keys = new GpgKeyring();
        hasOwn = Own(repo, remote.Name) is { } own && keys.TryAdd(own);
        foreach (string path in KeyPaths(remote))
            keys.AddPath(path);
        return keys;
    }

    /// <summary>The file beside the configuration that holds a remote's keys.</summary>
    internal static string FileName(string remote) => $"{remote}.trustedkeys.gpg";

    private static byte[]? Own(Repo repo, string remote)
    {
        string file = FileName(remote);
        for (Repo? at = repo; at is not null; at = at.Parent)
            if (at.Root.TryReadAllBytes(file, MaxSize) is { } bytes)
                return bytes;
        string system = $"/etc/ostree/remotes.d/{file}";
        return File.Exists(system) ? Read(system) : null;
    }

    // A list with either separator, but not with both.
    private static string[] KeyPaths(Remote remote)
    {
        if (remote.Get("gpgkeypath") is not { } value)
            return [];
        if (value.Contains(';', StringComparison.Ordinal) && value.Contains(',', StringComparison.Ordinal))
            throw new RepositoryException("key value list contains more than one separator");
        string[] paths = value.Split([';', ',']);
        return paths[^1].Length == 0 ? paths[..^1] : paths;
    }

    private void AddPath(string path)
    {
        if (Directory.Exists(path))
        {
            foreach (string file in RegularFiles(path))
                TryAdd(Read(file));
        }
        else if (!File.Exists(path))
            throw new RepositoryException($"openat({path}): No such file or directory");
        else if (!TryAdd(Read(path)))
            throw new RepositoryException($"No OpenPGP keys in {path}");
    }

    private void AddSystem() => AddRings(Environment.GetEnvironmentVariable("OSTREE_GPG_HOME") ?? "/usr/share/ostree/trusted.gpg.d");

    private void AddRings(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (string file in RegularFiles(directory))
            if (Path.GetFileName(file) is var name && (name.EndsWith(".gpg", StringComparison.Ordinal) && name is not ("trustdb.gpg" or "secring.gpg") || name == "pubring.kbx"))
                TryAdd(Read(file));
    }

    // A home of gpg has its agent's sockets, too.
    private static IEnumerable<string> RegularFiles(string directory) =>
        Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).Where(file => Files.TryStatus(file) is { Type: FileType.RegularFile });

    private bool TryAdd(byte[] bytes)
    {
        byte[] ring = OpenPgp.Dearmor(bytes);
        if (!OpenPgp.IsKeyring(ring))
            return false;
        rings.Add(ring);
        return true;
    }

    private static byte[] Read(string path)
    {
        try
        {
            return Files.ReadNamed(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RepositoryException($"Reading keys from {path}", e);
        }
    }

    /// <summary>Writes the keyrings into a directory and gives the options that name them; there is always one, since gpg has others of its own.</summary>
    internal IEnumerable<string> Options(GpgScratch scratch)
    {
        List<string> options = [];
        foreach (byte[] ring in rings.Count > 0 ? rings : [[]])
            options.AddRange(["--keyring", scratch.Write($"ring-{options.Count / 2}.gpg", ring)]);
        return options;
    }

    /// <summary>Lists the keys.</summary>
    /// <param name="only">Key IDs, fingerprints or parts of user IDs, as gpg takes them; none is all keys.</param>
    /// <exception cref="RepositoryException">gpg cannot be run.</exception>
    public IReadOnlyList<GpgKey> List(params IReadOnlyList<string> only)
    {
        using var scratch = new GpgScratch();
        return List(scratch, Options(scratch), only);
    }

    internal static IReadOnlyList<GpgKey> List(GpgScratch scratch, IEnumerable<string> rings, IReadOnlyList<string> only) =>
        GpgKey.Parse(GpgProgram.Run("gpg", ["--homedir", scratch.Path, "--batch", "--no-options", "--no-autostart", "--lock-never", "--no-default-keyring", .. rings, .. GpgKey.ListOptions, "--list-keys", "--", .. only]).Text);
}
