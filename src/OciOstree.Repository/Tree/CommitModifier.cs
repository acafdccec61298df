using System.Collections.Concurrent;

namespace OciOstree.Repository;

/// <summary>What is changed on the way from a directory or an archive into a commit, and what is left out. Paths begin with a slash, the root's is <c>/</c>.</summary>
/// <remarks>Its functions are called from several threads at once.</remarks>
public sealed class CommitModifier
{
    private readonly ConcurrentDictionary<string, StatOverride> pendingOverrides = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> pendingSkips = new(StringComparer.Ordinal);

    /// <summary>Everything gets this owner.</summary>
    public uint? OwnerUid { get; init; }

    /// <summary>Everything gets this group.</summary>
    public uint? OwnerGid { get; init; }

    /// <summary>Owner 0:0, modes within 0755, no xattrs; what a <c>bare-user-only</c> repository holds in any case.</summary>
    public bool CanonicalPermissions { get; init; }

    public bool SkipXattrs { get; init; }

    /// <summary>Takes write permission from files that anyone may execute.</summary>
    public bool ReadOnlyExecutables { get; init; }

    /// <summary>Removes what was committed; where the file system and the mode allow, files move into the repository instead of being copied.</summary>
    public bool Consume { get; init; }

    /// <summary>Files that are hard links to objects, as a checkout makes them.</summary>
    public DevInoCache? DevInoCache { get; init; }

    /// <summary>A file found in <see cref="DevInoCache"/> is that object, whatever its metadata on disk or the modifications here say.</summary>
    public bool TrustDevInoCache { get; init; }

    /// <summary>Changes of mode by path.</summary>
    public IReadOnlyDictionary<string, StatOverride> StatOverrides
    {
        init
        {
            foreach ((string path, StatOverride change) in value)
                pendingOverrides[path] = change;
        }
    }

    /// <summary>Paths to leave out, with everything beneath.</summary>
    public IEnumerable<string> SkipList
    {
        init
        {
            foreach (string path in value)
                pendingSkips[path] = true;
        }
    }

    /// <summary>Called last for every path with what the others made of it; null leaves it out.</summary>
    public Func<string, FileAttributes, FileAttributes?>? Filter { get; init; }

    /// <summary>Gives a path other xattrs than it has on disk; its arguments are the path, the mode and those on disk.</summary>
    public Func<string, uint, XattrSet, XattrSet>? XattrFilter { get; init; }

    /// <summary>
    /// The SELinux label of a path with a mode, without a NUL at its end as <c>security.selinux</c> is stored with one; null leaves the xattr as it is.
    /// What is to be committed may bring the policy itself, so this can be set until then.
    /// </summary>
    public Func<string, uint, string?>? Labeler { get; set; }

    /// <summary>Paths with a mode to add that were not found.</summary>
    public IEnumerable<string> UnmatchedStatOverrides =>
        pendingOverrides.Where(static entry => !entry.Value.Replaces).Select(static entry => entry.Key).Order(StringComparer.Ordinal);

    /// <summary>Paths to leave out that were not found.</summary>
    public IEnumerable<string> UnmatchedSkips => pendingSkips.Keys.Order(StringComparer.Ordinal);

    /// <summary>What a path's owner and mode become; null if it is left out.</summary>
    internal FileAttributes? Apply(string path, FileAttributes attributes, bool canonical)
    {
        attributes = attributes with { Uid = OwnerUid ?? attributes.Uid, Gid = OwnerGid ?? attributes.Gid };
        if (ReadOnlyExecutables && attributes.IsRegularFile && (attributes.Mode & 0x49 /* 0111 */) != 0)
            attributes = attributes with { Mode = attributes.Mode & ~0x92u /* 0222 */ };
        if (pendingOverrides.TryGetValue(path, out StatOverride change))
        {
            // ostree does not add bits to directories below the root, though it counts the path as found. It applies a replacement
            // each time, and never says that one was not found.
            if (change.Replaces || !attributes.IsDirectory || path == "/")
                attributes = attributes with { Mode = change.Apply(attributes.Mode) };
            if (!change.Replaces)
                pendingOverrides.TryRemove(path, out _);
        }
        if (pendingSkips.TryRemove(path, out _))
            return null;
        if (Filter != null)
        {
            if (Filter(path, attributes) is not { } filtered)
                return null;
            attributes = filtered;
        }
        return canonical || CanonicalPermissions ? attributes.Canonical() : attributes;
    }

    /// <summary>What a path's xattrs become.</summary>
    internal XattrSet Apply(string path, uint mode, XattrSet xattrs)
    {
        if (XattrFilter != null)
            xattrs = XattrFilter(path, mode, xattrs);
        return Label(path, mode, xattrs);
    }

    /// <summary>The xattrs with the path's SELinux label in the place of any other.</summary>
    internal XattrSet Label(string path, uint mode, XattrSet xattrs) => Labeler?.Invoke(path, mode) is { } label ? xattrs.WithLabel(label) : xattrs;
}
