using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// The SELinux policy that a tree has: the one that <c>SELINUXTYPE</c> in <c>etc/selinux/config</c> (or <c>usr/etc/selinux/config</c>) names, unless
/// <c>SELINUX</c> there disables it. Reading it needs no libselinux; <see cref="Open"/> does.
/// </summary>
public sealed class SePolicyFiles
{
    private const int ConfigLimit = 1 << 20, ContextsLimit = 64 << 20, PolicyLimit = 256 << 20;

    // The texts that libselinux reads. Compiled ones (.bin) stay behind: they hold expressions in PCRE's own form, which is not to be taken from strangers.
    private static readonly string[] s_contexts = ["", ".homedirs", ".local", ".subs", ".subs_dist"];

    private readonly List<KeyValuePair<string, byte[]>> contexts;

    private SePolicyFiles(string name, Checksum checksum, List<KeyValuePair<string, byte[]>> contexts)
    {
        (Name, Checksum, this.contexts) = (name, checksum, contexts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string suffix, byte[] text) in contexts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{suffix}\0{text.Length}\0"));
            hash.AppendData(text);
        }
        LabelsDigest = Checksum.FromBytes(hash.GetHashAndReset());
    }

    /// <summary>What <c>SELINUXTYPE</c> says: <c>targeted</c>, <c>default</c>, …</summary>
    public string Name { get; }

    /// <summary>SHA-256 of the binary policy, <c>policy/policy.VERSION</c> with the highest version.</summary>
    public Checksum Checksum { get; }

    /// <summary>Equal for policies that give every path the same label: a digest over the texts that decide it.</summary>
    public Checksum LabelsDigest { get; }

    /// <summary>The policy of a root directory; null if it has none.</summary>
    /// <exception cref="RepositoryException">It has one that cannot be read.</exception>
    public static SePolicyFiles? Find(LinuxDirectory root) => Find(new DirectoryPolicyTree(root), ["etc/selinux", "usr/etc/selinux"]);

    /// <summary>The policy of a commit; null if it has none.</summary>
    /// <exception cref="RepositoryException">It has one that cannot be read.</exception>
    public static SePolicyFiles? Find(Repo repo, Checksum commit) => Find(repo, MutableTree.FromCommit(repo, commit));

    /// <summary>The policy of a tree in memory, whose files are in the repository; null if it has none.</summary>
    /// <exception cref="RepositoryException">It has one that cannot be read.</exception>
    public static SePolicyFiles? Find(Repo repo, MutableTree root) => Find(new StoredPolicyTree(repo, root), ["usr/etc/selinux", "etc/selinux"]);

    /// <summary>Makes the policy ready to label.</summary>
    /// <exception cref="RepositoryException">There is no libselinux, or it does not understand the policy.</exception>
    public SePolicy Open()
    {
        if (!FileContexts.IsAvailable)
            throw new RepositoryException($"SELinux policy '{Name}' cannot be applied: {FileContexts.LibraryName} is not installed");
        try
        {
            return new SePolicy(this, new LabelSearch(new PolicyExpressions(contexts)));
        }
        catch (LinuxException e)
        {
            throw new RepositoryException($"SELinux policy '{Name}' cannot be used", new RepositoryException($"contexts/files/file_contexts: {LinuxException.Explain(e.Errno)}"));
        }
    }

    private static SePolicyFiles? Find(IPolicyTree tree, string[] places)
    {
        try
        {
            string place = tree.HasDirectory(places[0]) ? places[0] : places[1];
            return tree.TryRead($"{place}/config", ConfigLimit) is { } config && ChosenName(config) is { } name ? Read(tree, $"{place}/{name}", name) : null;
        }
        catch (LinuxException e)
        {
            throw new RepositoryException("Reading SELinux policy", e);
        }
    }

    // What ostree takes from the file: the last SELINUXTYPE counts, and one SELINUX line that does not disable it is enough.
    private static string? ChosenName(byte[] config)
    {
        string? name = null;
        bool enabled = false;
        foreach (string line in Encoding.UTF8.GetString(config).Split('\n'))
        {
            if (line.StartsWith("SELINUXTYPE=", StringComparison.Ordinal))
                name = line["SELINUXTYPE=".Length..].Trim();
            else if (line.StartsWith("SELINUX=", StringComparison.Ordinal))
                enabled |= line.AsSpan(8).StartsWith("enforcing", StringComparison.OrdinalIgnoreCase) || line.AsSpan(8).StartsWith("permissive", StringComparison.OrdinalIgnoreCase);
        }
        if (!enabled)
            return null;
        return name is null or "" or "." or ".." || name.Contains('/') || name.Contains('\0')
            ? throw new RepositoryException($"etc/selinux/config enables SELinux, but SELINUXTYPE={name} names no policy")
            : name;
    }

    private static SePolicyFiles Read(IPolicyTree tree, string place, string name)
    {
        var contexts = new List<KeyValuePair<string, byte[]>>();
        foreach (string suffix in s_contexts)
        {
            if (tree.TryRead($"{place}/contexts/files/file_contexts{suffix}", ContextsLimit) is { } text)
                contexts.Add(KeyValuePair.Create(suffix, text));
        }
        if (contexts.Count == 0 || contexts[0].Key.Length > 0)
            throw new RepositoryException($"SELinux policy '{name}' has no {place}/contexts/files/file_contexts");
        string binary = LatestPolicy(tree.FileNames($"{place}/policy")) ?? throw new RepositoryException($"SELinux policy '{name}' has no binary policy in {place}/policy");
        byte[] policy = tree.TryRead($"{place}/policy/{binary}", PolicyLimit) ?? throw new RepositoryException($"{place}/policy/{binary} is not a file");
        return new SePolicyFiles(name, Checksum.Compute(policy), contexts);
    }

    private static string? LatestPolicy(IEnumerable<string> names)
    {
        string? latest = null;
        int highest = 0;
        foreach (string name in names)
        {
            if (name.StartsWith("policy.", StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out int version) && version > highest)
            {
                (latest, highest) = (name, version);
            }
        }
        return latest;
    }
}
