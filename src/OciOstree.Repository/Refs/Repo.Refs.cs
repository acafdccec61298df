using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;

namespace OciOstree.Repository;

public sealed partial class Repo
{
    // A ref's file is a checksum and a line feed.
    private const int MaxRefFile = 4096;

    /// <summary>
    /// Resolves a full or partial commit checksum, a ref (<c>NAME</c>, <c>REMOTE:NAME</c>) or any of these followed by <c>^</c>
    /// for the parent, here or in a parent repository. A ref without a remote is also looked for among the remotes.
    /// </summary>
    /// <returns>The commit's checksum, null if there is no such ref.</returns>
    /// <exception cref="RepositoryException">The text is no refspec, a partial checksum is not unique, or a commit has no parent.</exception>
    public Checksum? ResolveRef(string refspec, bool searchRemotes = true)
    {
        if (Checksum.TryParse(refspec, out Checksum full))
            return full;
        // A ref that is called like the start of some commit's checksum means the ref; ostree takes the commit, which surprises.
        if (RefName.IsValid(refspec) && ResolveName(new RefSpec(null, refspec), searchRemotes: false) is { } named)
            return named;
        if (ResolvePartial(refspec) is { } partial)
            return partial;
        if (refspec.EndsWith('^'))
        {
            if (ResolveRef(refspec[..^1], searchRemotes) is not { } child)
                return null;
            return ReadCommit(child).Parent ?? throw new RepositoryException($"Commit {child} has no parent");
        }
        return ResolveName(RefSpec.Parse(refspec), searchRemotes);
    }

    /// <summary>As <see cref="ResolveRef"/>, an error if there is no such ref.</summary>
    public Checksum ResolveRequired(string refspec)
    {
        if (ResolveRef(refspec) is { } found)
            return found;
        string name = refspec.TrimEnd('^');
        throw new RepositoryException(Root.TryStatus(RefSpec.Parse(name).Path, followLinks: true) is { Type: FileType.Directory }
            ? $"Couldn't open ref '{name}': Is a directory"
            : $"Refspec '{name}' not found");
    }

    private Checksum? ResolveName(RefSpec spec, bool searchRemotes)
    {
        Checksum? found = ReadRef(spec.Path);
        if (found is null && spec.Remote is null && searchRemotes)
        {
            found = ReadRef($"refs/remotes/{spec.Name}");
            if (found is null)
            {
                using LinuxDirectory? remotes = Root.TryOpenDirectory("refs/remotes", followLinks: true);
                foreach (DirectoryEntry remote in remotes?.ReadEntries() ?? [])
                    if (remote.Type == FileType.Directory && (found = ReadRef($"refs/remotes/{remote.Name}/{spec.Name}")) is not null)
                        break;
            }
        }
        return found ?? Parent?.ResolveName(spec, searchRemotes);
    }

    private Checksum? ReadRef(string path)
    {
        try
        {
            // Links are followed: an alias is one.
            using SafeFileHandle? file = Root.TryOpenFile(path, OpenFlags.ReadOnly);
            if (file is null)
                return null;
            byte[] content = Files.ReadAll(file, MaxRefFile, path);
            // What a power cut can leave of a file. To take it for no ref at all would let a prune delete what it stood for.
            if (content.Length == 0)
                throw new RepositoryException("its file is empty");
            return Checksum.Parse(Encoding.ASCII.GetString(content).AsSpan().TrimEnd());
        }
        catch (LinuxException e) when (e.Errno is Errno.EISDIR or Errno.ENOTDIR) // part of other refs' names
        {
            return null;
        }
        catch (Exception e) when (e is LinuxException or RepositoryException)
        {
            throw new RepositoryException($"Couldn't open ref '{path}'", e);
        }
    }

    private Checksum? ResolvePartial(string text)
    {
        if (text.Length is 0 or >= Checksum.HexLength || text.AsSpan().ContainsAnyExcept("0123456789abcdef"))
            return null;
        Checksum[] matches = [.. CommitsStartingWith(text).Take(2)];
        return matches.Length switch
        {
            0 => null,
            1 => matches[0],
            _ => throw new RepositoryException($"Refspec {text} not unique"),
        };
    }

    /// <summary>The commits here and in parents whose checksums start with some digits.</summary>
    public IEnumerable<Checksum> CommitsStartingWith(string digits)
    {
        HashSet<Checksum> seen = [];
        for (Repo? repo = this; repo is not null; repo = repo.Parent)
            for (int prefix = 0; prefix < 256; prefix++)
            {
                string directory = LoosePath.Prefix(prefix);
                if (!directory.StartsWith(digits.AsSpan(0, Math.Min(2, digits.Length)), StringComparison.Ordinal))
                    continue;
                foreach (ObjectName name in repo.ListPrefix(directory))
                    if (name.Type == ObjectType.Commit && name.Checksum.ToString().StartsWith(digits, StringComparison.Ordinal) && seen.Add(name.Checksum))
                        yield return name.Checksum;
            }
    }

    /// <summary>
    /// Lists refs by their full names, those of remotes as <c>REMOTE:NAME</c>, in the order of names.
    /// </summary>
    /// <param name="prefix">Only the ref of that name and those below it as a directory; <c>REMOTE:</c> means all of a remote's; null means all.</param>
    /// <param name="options">What to leave out.</param>
    /// <exception cref="RepositoryException">A ref's file is damaged, or <c>refs/heads</c> or <c>refs/remotes</c> is missing: refs that cannot be seen must not pass for none.</exception>
    public IReadOnlyDictionary<string, Checksum> ListRefs(string? prefix = null, RefListing options = RefListing.All)
    {
        RequireRefDirectories();
        SortedDictionary<string, Checksum> refs = new(StringComparer.Ordinal);
        foreach ((string name, string path) in RefFiles(prefix, options))
            if (ReadRef(path) is { } target)
                refs[name] = target;
        return refs;
    }

    /// <summary>As <see cref="ListRefs"/>, the names only: a ref whose file is damaged is there to be seen, and to be deleted.</summary>
    public IReadOnlyCollection<string> ListRefNames(string? prefix = null, RefListing options = RefListing.All)
    {
        RequireRefDirectories();
        return new SortedSet<string>(RefFiles(prefix, options).Select(static found => found.Item1), StringComparer.Ordinal);
    }

    private void RequireRefDirectories()
    {
        foreach (string directory in (ReadOnlySpan<string>)["refs/heads", "refs/remotes"])
            if (Root.TryStatus(directory, followLinks: true) is null)
                throw new RepositoryException("Listing refs", new RepositoryException($"opendir({directory}): No such file or directory"));
    }

    /// <summary>The refs that stand for other refs, each with what it is set to.</summary>
    public IReadOnlyDictionary<string, string> ListAliases(string? prefix = null)
    {
        SortedDictionary<string, string> aliases = new(StringComparer.Ordinal);
        foreach ((string name, string path) in RefFiles(prefix, RefListing.OnlyAliases))
        {
            string target = Root.ReadLink(path);
            while (target.StartsWith("../", StringComparison.Ordinal))
                target = target[3..];
            aliases[name] = target;
        }
        return aliases;
    }

    /// <summary>Lists the refs of collections: this repository's own, mirrored ones and, where a remote is configured with a collection, the remotes'.</summary>
    public IReadOnlyDictionary<CollectionRef, Checksum> ListCollectionRefs(string? collectionId = null, RefListing options = RefListing.All)
    {
        if (collectionId is not null)
            RefName.ValidateCollectionId(collectionId);
        Dictionary<CollectionRef, Checksum> refs = [];
        if (Settings.CollectionId is { } own && (collectionId ?? own) == own)
            AddCollection(own, "refs/heads");
        if (!options.HasFlag(RefListing.ExcludeMirrors))
            foreach (DirectoryEntry mirror in Entries("refs/mirrors"))
                if ((collectionId ?? mirror.Name) == mirror.Name)
                    AddCollection(mirror.Name, $"refs/mirrors/{mirror.Name}");
        if (!options.HasFlag(RefListing.ExcludeRemotes))
            foreach (DirectoryEntry remote in Entries("refs/remotes"))
                if (Config.GetString($"remote \"{remote.Name}\"", "collection-id") is { } id && RefName.IsValidCollectionId(id) && (collectionId ?? id) == id)
                    AddCollection(id, $"refs/remotes/{remote.Name}");
        return refs;

        void AddCollection(string id, string directory)
        {
            foreach ((string name, string path) in Walk(directory, "", ""))
                if (ReadRef(path) is { } target)
                    refs[new CollectionRef(id, name)] = target;
        }
    }

    private IEnumerable<DirectoryEntry> Entries(string path)
    {
        using LinuxDirectory? directory = Root.TryOpenDirectory(path, followLinks: true);
        return directory?.ReadEntries().Where(entry => entry.Type == FileType.Directory) ?? [];
    }

    private IEnumerable<(string Name, string Path)> RefFiles(string? prefix, RefListing options)
    {
        bool aliases = options.HasFlag(RefListing.OnlyAliases);
        if (prefix is null)
        {
            foreach ((string, string) found in Walk("refs/heads", "", "", aliases))
                yield return found;
            if (options.HasFlag(RefListing.ExcludeRemotes))
                yield break;
            foreach (DirectoryEntry remote in Entries("refs/remotes"))
                foreach ((string, string) found in Walk($"refs/remotes/{remote.Name}", "", remote.Name + ":", aliases))
                    yield return found;
            yield break;
        }
        RefSpec spec = prefix.EndsWith(":.", StringComparison.Ordinal) ? new RefSpec(prefix[..^2], "")
            : prefix.EndsWith(':') ? new RefSpec(prefix[..^1], "") : RefSpec.Parse(prefix);
        string start = spec.Remote is null ? "refs/heads" : $"refs/remotes/{spec.Remote}", shown = spec.Remote is null ? "" : spec.Remote + ":";
        string path = spec.Name.Length == 0 ? start : $"{start}/{spec.Name}";
        if (Root.TryStatus(path, followLinks: true) is not { } status)
            yield break;
        if (status.Type != FileType.Directory)
        {
            if (!aliases || Root.Status(path).Type == FileType.SymbolicLink)
                yield return (shown + spec.Name, path);
            yield break;
        }
        foreach ((string, string) found in Walk(start, spec.Name, shown, aliases))
            yield return found;
    }

    // Files whose names no ref could have are left by other programs and passed over.
    private IEnumerable<(string Name, string Path)> Walk(string start, string below, string shown, bool aliasesOnly = false)
    {
        Stack<string> pending = new([below]);
        while (pending.TryPop(out string? relative))
        {
            using LinuxDirectory? directory = Root.TryOpenDirectory(relative.Length == 0 ? start : $"{start}/{relative}", followLinks: true);
            foreach (DirectoryEntry entry in directory?.ReadEntries() ?? [])
            {
                if (!RefName.IsValidFragment(entry.Name))
                    continue;
                string name = relative.Length == 0 ? entry.Name : $"{relative}/{entry.Name}";
                if (entry.Type == FileType.Directory)
                    pending.Push(name);
                else if (entry.Type == FileType.SymbolicLink || entry.Type == FileType.RegularFile && !aliasesOnly)
                    yield return (shown + name, $"{start}/{name}");
            }
        }
    }
}
